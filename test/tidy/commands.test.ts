import { expect, test } from 'vitest'
import { filesWhere, read, type SourceFile } from './tree.ts'

/** The rule: a command that a document tells the reader to type exists. */
function commandFaults(docs: readonly SourceFile[], scripts: readonly string[]): string[] {
  return docs.flatMap((doc) =>
    [...doc.text.matchAll(/\bnpm (?:run )?([a-z][a-z:-]*)/g)]
      .map(([command, name = '']) => ({ command, name }))
      .filter(
        ({ command, name }) =>
          (command.includes(' run ') || name === 'start' || name === 'test') && !scripts.includes(name),
      )
      .map(({ command }) => `${doc.path}: there is no "${command}"`),
  )
}

test('every npm script that a document names exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  expect(commandFaults(filesWhere(/\.md$/), Object.keys(scripts))).toEqual([])
})

test('planted: a script that does not exist is found', () => {
  const plant = (text: string) => commandFaults([{ path: 'README.md', text }], ['check'])
  expect(plant('`npm run check`, `npm ci` and `npm pack`')).toEqual([])
  expect(plant('`npm run chekc`')).toHaveLength(1)
  expect(plant('`npm start`')).toHaveLength(1)
})
