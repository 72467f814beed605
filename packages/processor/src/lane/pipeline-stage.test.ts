import { topic } from '@millrace/event'
import { from, map, type Observable, Subject } from 'rxjs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { processor } from '../model/processor.ts'
import { state } from '../model/state.ts'
import { emit } from '../operators/emit.ts'
import { evolve } from '../operators/evolve.ts'
import { mergeMap } from '../operators/merge-map.ts'
import { ofType } from '../operators/of-type.ts'
import { LaneRig } from '../testing/lane-rig.ts'

const offers = topic('offers', { types: { Made: z.object({ cents: z.int() }), Accepted: z.object({}) } })
const invoices = topic('invoices', { types: { Due: z.object({ cents: z.int() }) } })
const total = state({ initial: () => ({ cents: 0 }) })

test('a pipeline folds and emits, event by event', () => {
  const rig = new LaneRig(
    processor('bills', offers, {
      state: total,
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made'),
          evolve((sum, event) => ({ cents: sum.cents + event.data.cents })),
          emit(invoices, ({ state: { cents } }) =>
            cents > 5 ? { type: 'Due', data: { cents } } : undefined,
          ),
        ),
    }),
  )
  const first = rig.feed('Made', { cents: 4 })
  rig.feed('Accepted')
  const third = rig.feed('Made', { cents: 3 })
  expect(rig.told).toEqual(['1', '2', '3'])
  expect(first.after).toEqual({ state: { cents: 4 }, ops: {} })
  expect(first.emits).toBeUndefined()
  expect(third.emits).toMatchObject([
    {
      topic: invoices,
      event: { type: 'Due', subject: 'key', data: { cents: 7 }, causationid: third.event?.id },
    },
  ])
  expect(rig.lane.record.state).toEqual({ cents: 7 })
})

test('the settled prefix has the state of its last event', () => {
  const gates: Subject<void>[] = []
  const rig = new LaneRig(
    processor('bills', offers, {
      state: total,
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made'),
          evolve((sum, event) => ({ cents: sum.cents + event.data.cents })),
          mergeMap(({ state: { cents } }): Observable<number> => {
            const gate = new Subject<void>()
            gates.push(gate)
            return gate.pipe(map(() => cents))
          }),
          emit(invoices, (cents) => ({ type: 'Due', data: { cents } })),
        ),
    }),
  )
  const [first, second] = [rig.feed('Made', { cents: 1 }), rig.feed('Made', { cents: 2 })]
  gates[1]?.next()
  gates[1]?.complete()
  expect(rig.told).toEqual([])
  expect(second.emits?.[0]?.event.data).toEqual({ cents: 3 })
  gates[0]?.complete()
  expect(rig.told).toEqual(['1', '2'])
  expect(first.emits).toBeUndefined()
  expect(rig.lane.record.state).toEqual({ cents: 3 })
})

test('an emit within an inner stream that a promise feeds belongs to its event', async () => {
  const done = Promise.resolve(7)
  const rig = new LaneRig(
    processor('bills', offers, {
      pipeline: (lane) =>
        lane.pipe(
          ofType('Made'),
          mergeMap(() => from(done).pipe(emit(invoices, (cents) => ({ type: 'Due', data: { cents } })))),
        ),
    }),
  )
  const first = rig.feed('Made', { cents: 1 })
  expect(rig.told).toEqual([])
  await done
  await done
  expect(rig.told).toEqual(['1'])
  expect(first.emits).toHaveLength(1)
})
