import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesWhere, read, root, type SourceFile } from './tree.ts'

/** The lines between `// #region name` and `// #endregion` of a file, without their common indent. */
function regionOf(text: string, name: string): string | undefined {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.trim() === `// #region ${name}`)
  const length = lines.slice(start + 1).findIndex((line) => line.trim() === '// #endregion')
  if (start === -1 || length === -1) return undefined
  const region = lines.slice(start + 1, start + 1 + length)
  const indents = region.filter((line) => line.trim() !== '').map((line) => line.search(/\S/))
  return region.map((line) => line.slice(Math.min(...indents))).join('\n')
}

/** The rule: TypeScript in a document is a region of a file below examples/, word for word. */
function exampleFaults(docs: readonly SourceFile[], example: (path: string) => string | undefined): string[] {
  return docs.flatMap((doc) => {
    const blocks = doc.text.matchAll(
      /(?:<!-- example: (\S+?)#(\S+) -->\s*)?^```(?:ts|typescript)\n([\s\S]*?)^```$/gm,
    )
    return [...blocks].flatMap(([, file, region, code]) => {
      if (file === undefined || region === undefined)
        return [`${doc.path}: a TypeScript block without its example`]
      const text = example(file)
      if (text === undefined) return [`${doc.path}: ${file} does not exist below examples/`]
      const wanted = regionOf(text, region)
      if (wanted === undefined) return [`${doc.path}: ${file} has no region ${region}`]
      return wanted.trim() === (code ?? '').trim()
        ? []
        : [`${doc.path}: ${file}#${region} differs from its example`]
    })
  })
}

function exampleFile(path: string): string | undefined {
  return path.startsWith('examples/') && existsSync(join(root, path)) ? read(path) : undefined
}

test('every TypeScript block of the documents is a region of a running example', () => {
  expect(exampleFaults(filesWhere(/\.md$/), exampleFile)).toEqual([])
})

test('planted: a block that differs, one without an example, a missing file and a missing region are found', () => {
  const example = (path: string) =>
    path === 'examples/a.ts' ? '  // #region one\n  call()\n  // #endregion\n' : undefined
  const plant = (text: string) => exampleFaults([{ path: 'README.md', text }], example)
  const block = (code: string) => '```ts\n' + code + '\n```\n'
  expect(plant(`<!-- example: examples/a.ts#one -->\n${block('call()')}`)).toEqual([])
  expect(plant(`<!-- example: examples/a.ts#one -->\n${block('call(1)')}`)).toHaveLength(1)
  expect(plant(block('call()'))).toHaveLength(1)
  expect(plant(`<!-- example: examples/b.ts#one -->\n${block('call()')}`)).toHaveLength(1)
  expect(plant(`<!-- example: examples/a.ts#two -->\n${block('call()')}`)).toHaveLength(1)
})
