import { expect, test } from 'vitest'
import { filesWhere, type SourceFile } from './tree.ts'

/** The comment lines that a script begins with: its contract. */
function headerOf(text: string): string {
  const lines = text.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('--') && line.trim() !== '')
  return lines.slice(0, end === -1 ? lines.length : end).join('\n')
}

function bodyOf(text: string): string {
  return text
    .slice(headerOf(text).length)
    .split('\n')
    .map((line) => line.replace(/--.*$/, ''))
    .join('\n')
}

/** The rule: the header says which keys, which arguments and which answers; a shared piece says what it is for. */
function headerFaults(file: SourceFile): string[] {
  const header = headerOf(file.text)
  if (/^-- include\b/i.test(header))
    return header.length > 40 ? [] : [`${file.path}: the header says nothing`]
  return ['KEYS', 'ARGV', 'RETURNS']
    .filter((word) => !new RegExp(`^--\\s*${word}\\b`, 'm').test(header))
    .map((word) => `${file.path}: the header does not state ${word}`)
}

/**
 * The rule: only data goes into a script and only stated keys are touched. No code is loaded from strings, the
 * command of a call is a literal, and its key is neither a literal nor put together on the spot.
 */
function bodyFaults(file: SourceFile): string[] {
  const body = bodyOf(file.text)
  const loads = /\b(loadstring|load|dofile|require|setfenv)\s*\(/.exec(body)
  const faults = loads === null ? [] : [`${file.path}: ${loads[1]} makes code out of data`]
  for (const [call, args = ''] of body.matchAll(/redis\.p?call\s*\(([^\n]*)/g)) {
    const [, command, rest = ''] = /^\s*['"]([A-Za-z]+)['"]\s*(.*)$/.exec(args) ?? []
    const afterSubcommand = /^(XGROUP|XINFO)$/.test(command ?? '') ? rest.replace(/^,\s*'[A-Z]+'/, '') : rest
    const key = /^,\s*([^,)]+)/.exec(afterSubcommand)?.[1] ?? ''
    if (command === undefined) faults.push(`${file.path}: the command is not a literal: ${call}`)
    else if (/['"]/.test(key) && !['XREAD', 'TIME'].includes(command))
      faults.push(`${file.path}: the key is a literal: ${call}`)
    else if (key.includes('..')) faults.push(`${file.path}: the key is put together: ${call}`)
  }
  return faults
}

/** Scripts that Redis runs; a load generator of bench/ may have one of its own kind. */
const scripts = () => filesWhere(/^packages\/.*\.lua$/)

test('every script states its keys, arguments and answers', () => {
  expect(scripts().flatMap(headerFaults)).toEqual([])
})

test('scripts take data as arguments and touch only keys that they were given', () => {
  expect(scripts().flatMap(bodyFaults)).toEqual([])
})

test('planted: a bare script, loaded code, a computed command and made-up keys are found', () => {
  const header = '-- KEYS 1 log\n-- ARGV 1 now\n-- RETURNS {"ok"}\n'
  const plant = (body: string) => bodyFaults({ path: 'a.lua', text: header + body }).length
  expect(headerFaults({ path: 'a.lua', text: 'return 1' })).toHaveLength(3)
  expect(headerFaults({ path: 'a.lua', text: `${header}return 1` })).toEqual([])
  expect(plant(`loadstring(ARGV[1])()`)).toBe(1)
  expect(plant(`redis.call(ARGV[1], KEYS[1])`)).toBe(1)
  expect(plant(`redis.call('GET', 'a:' .. ARGV[1])`)).toBe(1)
  expect(plant(`redis.call('GET', KEYS[1] .. ARGV[1])`)).toBe(1)
  expect(plant(`redis.call('GET', KEYS[1])`)).toBe(0)
  expect(plant(`redis.call('TIME')`)).toBe(0)
  expect(plant(`redis.call('XINFO', 'GROUPS', KEYS[1])`)).toBe(0)
  expect(plant(`redis.call('XINFO', 'GROUPS', 'a')`)).toBe(1)
})
