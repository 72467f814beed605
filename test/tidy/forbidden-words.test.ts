import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

/** What must not stand anywhere in the repository, and why. */
const forbidden: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\b(TODO|FIXME|XXX|HACK)\b/, 'unfinished work belongs in an issue'],
  [/(?<![\w.~$}])\/(work|root|Users|mnt|workspace)\//, 'a path of one machine'],
  [/(?<![\w.~$}])\/home\/(?!node\b)\w+/, 'a path of one machine'],
  [
    /\bregistry\.(npmjs|yarnpkg)\b|https?:\/\/[\w.-]*\b(registry|artifactory|nexus|verdaccio)\b/i,
    'a registry host',
  ],
  [/@ts-(ignore|nocheck|expect-error)\b/, 'switches the type check off'],
  [/^(?!\s*(\/\/|\*)).*\bas unknown as\b/, 'switches the type check off'],
  [/\bissue [AB]\b/, 'a name that only its writer knows'],
]

/** The rule: none of the forbidden words, each fault with its line. */
function wordFaults(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.text
      .split('\n')
      .flatMap((line, index) =>
        forbidden
          .filter(([pattern]) => pattern.test(line))
          .map(([, why]) => `${file.path}:${index + 1}: ${why}: ${line.trim().slice(0, 80)}`),
      ),
  )
}

const self = 'forbidden-words'

test('no file carries forbidden words', () => {
  const files = filesWhere(/./).filter((file) => !file.path.includes(self) && file.path !== 'LICENSE')
  expect(wordFaults(files)).toEqual([])
})

test('planted: a reminder, machine paths, a registry and a cast around the types are found', () => {
  const plant = (text: string) => wordFaults([{ path: 'a.ts', text }])
  expect(plant('// TODO later')).toHaveLength(1)
  expect(plant(`open('/${'root'}/x')`)).toHaveLength(1)
  expect(plant(`open('/${'home'}/anna/x')`)).toHaveLength(1)
  expect(plant('https://registry.example.com/a')).toHaveLength(1)
  expect(plant('// @ts-ignore')).toHaveLength(1)
  expect(plant('x as unknown as string')).toHaveLength(1)
  expect(plant('import.meta.dirname')).toEqual([])
})
