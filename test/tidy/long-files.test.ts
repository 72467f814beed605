import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

const ceiling = 300
/** How far a listed file may shrink before its number here has to follow it. */
const slack = 20

interface LongFile {
  /** Lines that it may have at most. Only ever lower this. */
  readonly lines: number
  readonly why: string
}

/** Files beyond the ceiling, each with its reason. The list only shrinks. */
const longFiles: Readonly<Record<string, LongFile>> = {}

/** The rule: no file beyond 300 lines, except listed ones, which only get shorter. */
function lengthFaults(files: readonly SourceFile[], listed: Readonly<Record<string, LongFile>>): string[] {
  const lengths = new Map(files.map((file) => [file.path, file.text.trimEnd().split('\n').length]))
  const tooLong = [...lengths].flatMap(([path, lines]) => {
    const limit = listed[path]?.lines ?? ceiling
    return lines > limit ? [`${path}: ${lines} lines, at most ${limit}`] : []
  })
  const stale = Object.entries(listed).flatMap(([path, { lines, why }]) => {
    const now = lengths.get(path) ?? 0
    if (now <= ceiling) return [`${path}: no longer long; take it off the list`]
    if (lines - now > slack) return [`${path}: has ${now} lines now; lower its number`]
    return why === '' ? [`${path}: say why`] : []
  })
  return [...tooLong, ...stale]
}

test('files stay short', () => {
  const files = filesWhere(/^(packages|apps|test|bench|examples|grafana)\/.*\.(ts|mjs|lua|sql)$/)
  expect(lengthFaults(files, longFiles)).toEqual([])
})

test('planted: a long file, one that grew, a stale entry and one without a reason are found', () => {
  const file = (lines: number) => [{ path: 'a.ts', text: 'x\n'.repeat(lines) }]
  expect(lengthFaults(file(301), {})).toHaveLength(1)
  expect(lengthFaults(file(350), { 'a.ts': { lines: 340, why: 'one state machine' } })).toHaveLength(1)
  expect(lengthFaults(file(310), { 'a.ts': { lines: 340, why: 'one state machine' } })).toHaveLength(1)
  expect(lengthFaults(file(300), { 'a.ts': { lines: 340, why: 'one state machine' } })).toHaveLength(1)
  expect(lengthFaults(file(340), { 'a.ts': { lines: 340, why: '' } })).toHaveLength(1)
  expect(lengthFaults(file(300), {})).toEqual([])
})
