import { topic } from '@millrace/event'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { decodeRecord, emptyRecord, encodeRecord } from './key-record.ts'
import { processor } from './processor.ts'
import { state, type StateDefinition } from './state.ts'

const things = topic('things', { types: { Made: z.object({}) } })
const cause = { id: 'i', eventId: 'i', correlationid: 'c' }
const ops = { wait: { timer: { dueMs: 5, cause }, data: [1] } }

function keeping<S>(definition?: StateDefinition<S>) {
  return processor('p', things, { ...(definition && { state: definition }), pipeline: (lane) => lane })
}

test('a record survives the store', () => {
  const definition = keeping(state({ initial: () => ({ n: 0 }) }))
  for (const record of [emptyRecord, { state: { n: 1 }, ops }, { state: undefined, ops }])
    expect(decodeRecord(definition, encodeRecord(definition, record))).toEqual(record)
})

test('an empty record is two empty texts', () => {
  expect(encodeRecord(keeping(), emptyRecord)).toEqual({ version: 1, state: '', ops: '' })
})

test('an old state is brought to the present version, step by step', () => {
  const definition = keeping(
    state({
      initial: () => ({ total: 0 }),
      version: 3,
      migrate: { 1: (old) => ({ sum: Number(old) }), 2: (old) => ({ total: (old as { sum: number }).sum }) },
      schema: z.object({ total: z.int() }),
    }),
  )
  expect(decodeRecord(definition, { version: 1, state: '7', ops: '' }).state).toEqual({ total: 7 })
  expect(decodeRecord(definition, { version: 2, state: '{"sum":8}', ops: '' }).state).toEqual({ total: 8 })
})

test('a state that does not fit is refused with its reason', () => {
  const definition = keeping(
    state({
      initial: () => ({ n: 0 }),
      version: 2,
      schema: z.object({ n: z.int() }),
      migrate: {
        1: () => {
          throw new Error('boom')
        },
      },
    }),
  )
  const refused = (stored: { version: number; state: string }) => () =>
    decodeRecord(definition, { ...stored, ops: '' })
  expect(refused({ version: 3, state: '{}' })).toThrow('version 3')
  expect(refused({ version: 1, state: '{}' })).toThrow('migration from version 1 failed')
  expect(refused({ version: 2, state: '{}' })).toThrow('breaks its schema')
  expect(() => decodeRecord(keeping(), { version: 1, state: '{}', ops: '' })).toThrow('declares none')
})

test('a record that is too large is refused, counted in bytes, with what its operators keep', () => {
  const definition = keeping(state({ initial: () => '', maxBytes: 100 }))
  const of =
    (text: string, more = emptyRecord.ops) =>
    () =>
      encodeRecord(definition, { state: text, ops: more })
  expect(of('x'.repeat(98))).not.toThrow()
  expect(of('x'.repeat(99))).toThrow(
    expect.objectContaining({ code: 'state.too-large', details: { bytes: 101, most: 100 } }),
  )
  expect(of('ä'.repeat(60))).toThrow('122 bytes')
  expect(of('x'.repeat(20), ops)).toThrow('at most 100')
})
