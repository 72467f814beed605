import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { pinnedNode, projectRoot } from '../../../apps/all-in-one/src/pinned-node.ts'
import { edited } from './edited.ts'
import { planted } from './planted-bugs.ts'

/** A bug that so many seeds do not notice goes unnoticed. */
const mostSeeds = 300

test.each(Object.entries(planted))('the place of "%s" is in the sources', (_, { edits }) => {
  for (const edit of edits) {
    const source = readFileSync(new URL(edit.file, `file://${projectRoot}/`), 'utf8')
    expect(edited(source, edit)).not.toBe(source)
  }
})

test('every planted bug turns a seed red', { timeout: 600_000 }, async () => {
  const hunt = fileURLToPath(new URL('hunt.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(pinnedNode(), [hunt, String(mostSeeds)])
  const found = JSON.parse(stdout) as Readonly<Record<string, { seed: number; message: string } | null>>
  const unnoticed = Object.keys(planted).filter((bug) => !found[bug])
  expect(unnoticed).toEqual([])
})
