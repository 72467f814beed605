import { derivedId, type EventOf, topic } from '@millrace/event'
import { map, merge, type Observable, of, Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineEffect } from '../model/effect.ts'
import { processor } from '../model/processor.ts'
import { state } from '../model/state.ts'
import { LaneRig } from '../testing/lane-rig.ts'
import { concatMap } from './concat-map.ts'
import { bufferCount } from './buffer-count.ts'
import { dead } from './dead.ts'
import { defer } from './defer.ts'
import { delay } from './delay.ts'
import { effect } from './effect.ts'
import { emit } from './emit.ts'
import { evolve } from './evolve.ts'
import { mergeMap } from './merge-map.ts'
import { ofType } from './of-type.ts'

const offers = topic('offers', { types: { Made: z.object({ cents: z.int() }), Withdrawn: z.object({}) } })
const notes = topic('notes', { types: { Noted: z.object({ text: z.string() }) } })
const quote = defineEffect('quote', { schema: z.object({ cents: z.int().positive() }), run: () => {} })
const total = state({ initial: (key) => ({ key, cents: 0 }) })
type Offer = EventOf<typeof offers>

const added = (sum: { key: string; cents: number }, event: { data: { cents: number } }) => ({
  ...sum,
  cents: sum.cents + event.data.cents,
})

test('ofType narrows to several types', () => {
  const seen: string[] = []
  const rig = new LaneRig(
    processor('p', offers, {
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made', 'Withdrawn'),
          map(({ type }) => seen.push(type)),
        ),
    }),
  )
  rig.feed('Made', { cents: 1 })
  rig.feed('Withdrawn')
  expect(seen).toEqual(['Made', 'Withdrawn'])
})

test('evolve begins with the initial state of the key, or with the one that is loaded', () => {
  const definition = processor('p', offers, {
    state: total,
    pipeline: (lane) => lane.pipe(ofType('Made'), evolve(added)),
  })
  const fresh = new LaneRig(definition, { key: 'k1' })
  fresh.feed('Made', { cents: 1 })
  expect(fresh.lane.record.state).toEqual({ key: 'k1', cents: 1 })
  const loaded = new LaneRig(definition, { record: { state: { key: 'k2', cents: 5 }, ops: {} } })
  loaded.feed('Made', { cents: 1 })
  expect(loaded.lane.record.state).toEqual({ key: 'k2', cents: 6 })
})

test('evolve hands on the event with the state before and after it', () => {
  const seen: unknown[] = []
  const rig = new LaneRig(
    processor('p', offers, {
      state: total,
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made'),
          evolve(added),
          map(({ event, before, state: after }) => seen.push([event.data.cents, before.cents, after.cents])),
        ),
    }),
  )
  rig.feed('Made', { cents: 2 })
  rig.feed('Made', { cents: 3 })
  expect(seen).toEqual([
    [2, 0, 2],
    [3, 2, 5],
  ])
})

test('evolve behind an operator that changes the order is refused when the order changes', () => {
  const gates: Subject<Offer>[] = []
  const rig = new LaneRig(
    processor('p', offers, {
      state: total,
      pipeline: (lane) =>
        lane.pipe(
          mergeMap((event) => {
            const gate = new Subject<Offer>()
            gates.push(gate)
            return gate.pipe(map(() => event))
          }),
          ofType('Made'),
          evolve(added),
        ),
    }),
  )
  const first = rig.feed('Made', { cents: 1 })
  rig.feed('Made', { cents: 2 })
  gates[1]?.next(first.event as Offer)
  expect(rig.told).toEqual([])
  gates[0]?.next(first.event as Offer)
  expect(rig.told).toEqual(['!1 pipeline.order'])
  expect(rig.lane.record.state).toBeUndefined()
})

test('evolve behind concatMap works: it keeps the order', () => {
  const rig = new LaneRig(
    processor('p', offers, {
      state: total,
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made'),
          concatMap((event) => of(event).pipe(delay(10))),
          evolve(added),
        ),
    }),
  )
  for (const cents of [1, 2, 3]) rig.feed('Made', { cents })
  rig.time.advance(100)
  expect(rig.told).toEqual(['1', '2', '3'])
  expect(rig.lane.record.state).toEqual({ key: 'key', cents: 6 })
})

test('evolve without a declared state is refused', () => {
  // As from a program without types.
  const build = (lane: Observable<Offer>): Observable<unknown> =>
    lane.pipe(evolve<never>((..._: unknown[]) => undefined as never) as never)
  const rig = new LaneRig(processor('p', offers, { pipeline: build }))
  rig.feed('Withdrawn')
  expect(rig.told).toEqual(['!1 pipeline.undeclared'])
})

test('emitted events derive from group, event, topic and ordinal, and carry the correlation on', () => {
  const rig = new LaneRig(
    processor('leads', offers, {
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made'),
          emit(notes, () => [
            { type: 'Noted', data: { text: 'a' } },
            { type: 'Noted', key: 'other', data: { text: 'b' } },
          ]),
          emit(notes, () => ({ type: 'Noted', data: { text: 'c' }, actor: 'me' })),
        ),
    }),
  )
  const { event, emits = [] } = rig.feed('Made', { cents: 1 })
  const id = event?.id ?? ''
  expect(emits.map((one) => one.event.id)).toEqual(
    ['0', '1', '2'].map((ordinal) => derivedId('leads', id, 'notes', ordinal)),
  )
  expect(emits.map((one) => one.event.subject)).toEqual(['key', 'other', 'key'])
  expect(emits[2]).toMatchObject({
    topic: notes,
    event: { correlationid: event?.correlationid, causationid: id, actor: 'me', data: { text: 'c' } },
  })
  expect(JSON.parse(emits[2]?.text ?? '')).toEqual(emits[2]?.event)
})

test('an emit that breaks its schema fails the event', () => {
  const rig = new LaneRig(
    processor('p', offers, {
      pipeline: (lane) => lane.pipe(emit(notes, () => JSON.parse('{"type":"Noted","data":{}}') as undefined)),
    }),
  )
  rig.feed('Made', { cents: 1 })
  expect(rig.told).toEqual(['!1 event.invalid'])
})

test('more than a hundred emits of one event are refused', () => {
  const note = { type: 'Noted', data: { text: 'x' } } as const
  const emitting = (count: number) =>
    new LaneRig(
      processor('p', offers, {
        pipeline: (lane) => lane.pipe(emit(notes, () => Array.from({ length: count }, () => note))),
      }),
    )
  const [much, tooMuch] = [emitting(100), emitting(101)]
  much.feed('Withdrawn')
  tooMuch.feed('Withdrawn')
  expect(much.told).toEqual(['1'])
  expect(tooMuch.told).toEqual(['!1 append.limit'])
})

test('an effect is recorded with a key that derives from group, event, name and ordinal', () => {
  const rig = new LaneRig(
    processor('leads', offers, {
      effects: [quote],
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made'),
          effect(quote, ({ data }) => (data.cents > 1 ? { cents: data.cents } : undefined)),
          effect(quote, ({ data }) => ({ cents: data.cents })),
        ),
    }),
  )
  expect(rig.feed('Made', { cents: 1 }).effects).toHaveLength(1)
  const { event, effects } = rig.feed('Made', { cents: 2 })
  const id = event?.id ?? ''
  expect(effects).toEqual(
    ['0', '1'].map((ordinal) => ({
      name: 'quote',
      key: 'key',
      idempotencyKey: derivedId('leads', id, 'quote', ordinal),
      payload: '{"cents":2}',
      ordinal: Number(ordinal),
      correlationId: event?.correlationid,
      causationId: id,
    })),
  )
})

test('an effect that the processor does not list, or with a wrong payload, fails the event', () => {
  const unlisted = new LaneRig(
    processor('p', offers, { pipeline: (lane) => lane.pipe(effect(quote, () => ({ cents: 1 }))) }),
  )
  unlisted.feed('Made', { cents: 1 })
  expect(unlisted.told).toEqual(['!1 pipeline.undeclared'])
  const wrong = new LaneRig(
    processor('p', offers, {
      effects: [quote],
      pipeline: (lane) => lane.pipe(effect(quote, () => ({ cents: 0 }))),
    }),
  )
  wrong.feed('Made', { cents: 1 })
  expect(wrong.told).toEqual(['!1 event.invalid'])
})

test('defer and dead give an event its outcome and take it out of the stream; others pass', () => {
  const seen: number[] = []
  const rig = new LaneRig(
    processor('p', offers, {
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made'),
          defer(({ data }) => (data.cents === 1 ? 'no account yet' : undefined)),
          dead(({ data }) => (data.cents === 2 ? 'nonsense' : undefined)),
          map(({ data }) => seen.push(data.cents)),
        ),
    }),
  )
  const all = [1, 2, 3].map((cents) => rig.feed('Made', { cents }))
  expect(all.map(({ outcome, why }) => [outcome, why])).toEqual([
    ['deferred', 'no account yet'],
    ['dead', 'nonsense'],
    ['done', undefined],
  ])
  expect(seen).toEqual([3])
  expect(rig.told).toEqual(['1', '2', '3'])
})

test('two outcomes that exclude each other are refused, in whatever order', () => {
  const give = (pipeline: (lane: Observable<Offer>) => Observable<unknown>, count = 1) => {
    const rig = new LaneRig(processor('p', offers, { pipeline }))
    for (let n = 0; n < count; n++) rig.feed('Made', { cents: 1 })
    return rig.told
  }
  const noted = emit(notes, (_: Offer) => ({ type: 'Noted', data: { text: 'x' } }))
  const late = defer<Offer>(() => 'late')
  expect(give((lane) => lane.pipe(noted, late))).toEqual(['!1 pipeline.outcome'])
  expect(give((lane) => merge(lane.pipe(late), lane.pipe(noted)))).toEqual(['!1 pipeline.outcome'])
  expect(give((lane) => merge(lane.pipe(late), lane.pipe(dead(() => 'x'))))).toEqual(['!1 pipeline.outcome'])
  expect(
    give(
      (lane) =>
        lane.pipe(
          bufferCount(2),
          dead(() => 'x'),
        ),
      2,
    ),
  ).toEqual(['!2 pipeline.outcome'])
})

test('an operator of ours outside of any lane says so', () => {
  const errors: unknown[] = []
  of(1)
    .pipe(delay(1))
    .subscribe({ error: (error) => errors.push(error) })
  expect(String(errors)).toContain('outside of a lane')
})
