import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { testSeed } from '../../../test/support/random.ts'
import { decodeEvent, encodeEvent, envelopeOf, newEncodedEvent, newEvent } from './codec.ts'
import { MillraceError } from './error.ts'
import type { EventDraft } from './event.ts'
import { topic } from './topic.ts'

const seed = testSeed()
const things = topic('things', {
  types: {
    Made: z.object({ n: z.int() }),
    'Said "so"': z.unknown(),
    Grown: { schema: z.unknown(), version: 2, upcasters: { 1: (data) => data } },
  },
  maxEventBytes: 400,
})
const clock = { now: () => 1_700_000_000_123 }

const odd = fc.constantFrom(
  '"',
  '\\',
  ' ',
  '/',
  'é',
  '€',
  '𝄞',
  '\ud800',
  '\n',
  '\u007f',
  '',
  'x'.repeat(1_100),
)
const attribute = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z0-9-]{1,12}$/) },
  fc.tuple(fc.stringMatching(/^[a-z]{0,3}$/), odd).map(([text, more]) => text + more),
)
/** Names that are refused, among others. */
const named = fc.dictionary(
  fc.constantFrom('n', '__proto__', 'constructor', 'prototype', 'a\ud800', 'é'),
  fc.oneof(fc.integer(), attribute),
)
const drafts: fc.Arbitrary<EventDraft> = fc.record(
  {
    type: fc.constantFrom('Made', 'Made', 'Made', 'Said "so"', 'Grown', 'Unknown'),
    key: attribute,
    data: fc.oneof(fc.record({ n: fc.integer() }), fc.jsonValue(), fc.constant(undefined), attribute, named),
    id: attribute,
    version: fc.constantFrom(1, 2),
    source: attribute,
    time: fc.oneof(fc.constant('2026-01-02T03:04:05.678Z'), fc.constant('2026-01-02'), attribute),
    correlationId: attribute,
    causationId: attribute,
    traceparent: attribute,
    actor: attribute,
  },
  { requiredKeys: ['type', 'key', 'data', 'id'] },
)

function outcome(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error instanceof MillraceError ? [error.code, error.message, error.details] : String(error)
  }
}

test('from the first event on, empty attributes are refused', () => {
  const whole = { type: 'Made', key: 'k', data: { n: 1 } }
  for (const empty of [{ time: '' }, { source: '' }, { key: '' }, { id: '' }, { correlationId: '' }]) {
    const draft = { ...whole, ...empty }
    expect(() => newEncodedEvent(things, draft, clock)).toThrow(/The envelope is wrong/)
    expect(() => newEvent(things, draft, clock)).toThrow(/The envelope is wrong/)
  }
  const event = newEvent(things, whole, clock)
  for (const name of ['id', 'type', 'source', 'subject', 'time', 'correlationid'])
    for (const value of ['', undefined, 7])
      expect(() => envelopeOf({ ...event, [name]: value })).toThrow(/The envelope is wrong/)
})

test(`an event and its text made in one go are those made one after the other (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.array(drafts, { maxLength: 4 }), (list) => {
      for (const draft of list) {
        const apart = outcome(() => {
          const event = newEvent(things, draft, clock)
          return { topic: things, event, text: encodeEvent(things, event) }
        })
        expect(outcome(() => newEncodedEvent(things, draft, clock))).toEqual(apart)
      }
    }),
    { seed, numRuns: 2_000 },
  )
})

test('what is quick to write is read back as it was', () => {
  const draft = { type: 'Made', key: 'k', data: { n: 1 }, correlationId: 'c', causationId: 'd', actor: 'a' }
  const { event, text } = newEncodedEvent(things, draft, clock)
  expect(decodeEvent(text)).toEqual(event)
  expect(text).toBe(JSON.stringify(event))
})

test('an event that is too large is refused', () => {
  const draft = { type: 'Said "so"', key: 'k', data: 'é'.repeat(200) }
  expect(() => newEncodedEvent(things, draft, clock)).toThrow(/takes 400/)
})
