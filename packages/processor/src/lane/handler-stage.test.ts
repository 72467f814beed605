import { derivedId, topic } from '@millrace/event'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineEffect } from '../model/effect.ts'
import type { HandlerContext } from '../model/handler.ts'
import { processor } from '../model/processor.ts'
import { state } from '../model/state.ts'
import { LaneRig } from '../testing/lane-rig.ts'

const offers = topic('offers', { types: { Made: z.object({ cents: z.int() }), Withdrawn: z.object({}) } })
const notes = topic('notes', { types: { Noted: z.object({ text: z.string() }) } })
const quote = defineEffect('quote', { schema: z.object({ cents: z.int() }), run: () => {} })
const total = state({ initial: () => 0 })

/** A handler whose calls end when the test says so. */
function slow() {
  const calls: {
    n: number
    context: HandlerContext<number>
    end: () => void
    fail: (error: Error) => void
  }[] = []
  const definition = processor('slow', offers, {
    state: total,
    types: ['Made'],
    handle: async (event, context) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      calls.push({ n: event.data.cents, context, end: resolve, fail: reject })
      await promise
      context.evolve(context.state + event.data.cents)
    },
  })
  return { calls, definition }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('a handler that answers at once records, and is settled at once', () => {
  const rig = new LaneRig(
    processor('quick', offers, {
      state: total,
      effects: [quote],
      handle: (event, context) => {
        if (event.type !== 'Made') return
        context.evolve(context.state + event.data.cents)
        context.evolve(context.state + 1)
        context.emit(notes, { type: 'Noted', data: { text: String(context.state) } })
        context.emit(notes, [{ type: 'Noted', key: 'other', data: { text: context.idempotencyKey } }])
        context.effect(quote, { cents: event.data.cents })
      },
    }),
  )
  const { event, after, emits, effects } = rig.feed('Made', { cents: 2 })
  rig.feed('Withdrawn')
  expect(rig.told).toEqual(['1', '2'])
  expect(after?.state).toBe(3)
  expect(emits?.map((one) => one.event.data)).toEqual([
    { text: '3' },
    { text: derivedId('quick', event?.id ?? '') },
  ])
  expect(effects).toMatchObject([{ name: 'quote', payload: '{"cents":2}' }])
})

test('one event at a time: later ones wait in the lane', async () => {
  const { calls, definition } = slow()
  const rig = new LaneRig(definition)
  for (const cents of [1, 2, 3]) rig.feed('Made', { cents })
  expect(calls.map(({ n }) => n)).toEqual([1])
  calls[0]?.end()
  await turn()
  expect(rig.told).toEqual(['1'])
  expect(calls.map(({ n, context }) => [n, context.state])).toEqual([
    [1, 1],
    [2, 1],
  ])
  calls[1]?.end()
  await turn()
  calls[2]?.end()
  await turn()
  expect(rig.told).toEqual(['1', '2', '3'])
  expect(rig.lane.record.state).toBe(6)
})

test('a handler that fails ends the lane; those that wait are not handled', async () => {
  const { calls, definition } = slow()
  const rig = new LaneRig(definition)
  for (const cents of [1, 2]) rig.feed('Made', { cents })
  calls[0]?.fail(new Error('boom'))
  await turn()
  expect(rig.told).toEqual(['!1 boom'])
  expect(calls).toHaveLength(1)
  expect(rig.lane.unsettled).toHaveLength(2)
  expect(rig.lane.record.state).toBeUndefined()
})

test('a handler that throws at once fails its event', () => {
  const rig = new LaneRig(
    processor('p', offers, {
      handle: () => {
        throw new Error('boom')
      },
    }),
  )
  rig.feed('Withdrawn')
  expect(rig.told).toEqual(['!1 boom'])
})

test('what is left of a lane is handled by the next one; an old handler can do nothing to it', async () => {
  const { calls, definition } = slow()
  const old = new LaneRig(definition)
  old.feed('Made', { cents: 1 })
  const aborted = calls[0]?.context.signal
  old.lane.close()
  expect(aborted?.aborted).toBe(true)
  const rig = new LaneRig(definition)
  rig.again(old.lane.unsettled)
  calls[0]?.end()
  await turn()
  expect(old.told).toEqual([])
  expect(rig.told).toEqual([])
  expect(() => calls[0]?.context.evolve(100)).toThrow('after its handler had ended')
  calls[1]?.end()
  await turn()
  expect(rig.told).toEqual(['1'])
  expect(rig.lane.record.state).toBe(1)
})

test('a context is of no use when its handler has ended', () => {
  let kept: HandlerContext<number> | undefined
  const rig = new LaneRig(
    processor('p', offers, {
      state: total,
      handle: (_, context) => {
        kept = context
      },
    }),
  )
  rig.feed('Withdrawn')
  expect(() => kept?.evolve(1)).toThrow(expect.objectContaining({ code: 'pipeline.unheld' }))
  expect(() => kept?.emit(notes, undefined)).toThrow('await everything')
})

test('defer and dead are outcomes; after anything else they fail the event', () => {
  const ways: Record<number, (context: HandlerContext<number>) => void> = {
    1: (context) => context.defer('later'),
    2: (context) => context.dead('never'),
    3: (context) => {
      context.evolve(1)
      context.dead('never')
    },
  }
  const rig = new LaneRig(
    processor('p', offers, {
      state: total,
      types: ['Made'],
      handle: (event, context) => ways[event.data.cents]?.(context),
    }),
  )
  const [first, second] = [1, 2, 3].map((cents) => rig.feed('Made', { cents }))
  expect(first).toMatchObject({ outcome: 'deferred', why: 'later' })
  expect(second).toMatchObject({ outcome: 'dead', why: 'never' })
  expect(rig.told).toEqual(['1', '2', '!3 pipeline.outcome'])
})

test('a context tells where the event lies and which attempt it is', () => {
  const seen: unknown[] = []
  const definition = processor('p', offers, {
    handle: (_, { key, position, attempt, signal }) =>
      void seen.push([key, position.seq, attempt, signal.aborted]),
  })
  const rig = new LaneRig(definition, { key: 'k' })
  rig.feed('Withdrawn')
  expect(seen).toEqual([['k', 1, 1, false]])
})
