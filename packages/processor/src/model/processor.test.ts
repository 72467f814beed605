import { type Event, type EventOf, topic } from '@millrace/event'
import { filter, merge, type Observable } from 'rxjs'
import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { bufferTime } from '../operators/buffer-time.ts'
import { concatMap } from '../operators/concat-map.ts'
import { delay } from '../operators/delay.ts'
import { durableDelay } from '../operators/durable-delay.ts'
import { evolve, type Evolved } from '../operators/evolve.ts'
import { join } from '../operators/join.ts'
import { ofType } from '../operators/of-type.ts'
import { tumblingWindow } from '../operators/tumbling-window.ts'
import { defineEffect } from './effect.ts'
import { type HandlerOptions, type OnUnmet, processor } from './processor.ts'
import { state } from './state.ts'

const offers = topic('offers', {
  types: {
    Made: z.object({ cents: z.int() }),
    Accepted: z.object({ by: z.string() }),
    Withdrawn: z.object({}),
  },
})
type Made = Event<'Made', { cents: number }>
type Accepted = Event<'Accepted', { by: string }>
interface Lead {
  readonly cents: number
}
const lead = state({ initial: (): Lead => ({ cents: 0 }) })

test('a pipeline sees the events of its topic, narrowed by ofType', () => {
  processor('p', offers, {
    pipeline: (lane) => {
      expectTypeOf(lane).toExtend<Observable<EventOf<typeof offers>>>()
      expectTypeOf(lane.pipe(ofType('Made'))).toExtend<Observable<Made>>()
      expectTypeOf(lane.pipe(ofType('Made', 'Accepted'))).toExtend<Observable<Made | Accepted>>()
      expectTypeOf(lane.pipe(ofType('Made', 'Accepted'))).not.toExtend<Observable<Made>>()
      return lane
    },
  })
})

test('the types of a processor narrow what it is given', () => {
  processor('p', offers, {
    types: ['Made'],
    handle: (event) => {
      expectTypeOf(event).toExtend<Made>()
      expectTypeOf(event.data.cents).toEqualTypeOf<number>()
    },
  })
  processor('p', offers, {
    types: ['Made', 'Accepted'],
    pipeline: (lane) => {
      expectTypeOf(lane).toExtend<Observable<Made | Accepted>>()
      return lane
    },
  })
})

test('what defer means is said by type, for types that the processor has', () => {
  const handle = () => {}
  const { onUnmet } = processor('p', offers, {
    onUnmet: { Accepted: 'ignore', Withdrawn: 'dead', Made: 'defer' },
    handle: (event, { state: none }) => {
      expectTypeOf(event).toExtend<EventOf<typeof offers>>()
      expectTypeOf(event).not.toExtend<Accepted>()
      expectTypeOf(none).toEqualTypeOf<never>()
    },
  })
  expect([...onUnmet]).toEqual([
    ['Accepted', 'ignore'],
    ['Withdrawn', 'dead'],
  ])
  const gone = JSON.parse('{"Gone":"ignore"}') as { Made: 'ignore' }
  expect(() => processor('p', offers, { onUnmet: gone, handle })).toThrow('"Gone"')
  type Told<Name extends string> = NonNullable<HandlerOptions<typeof offers, never, Name>['onUnmet']>
  expectTypeOf<keyof Told<'Made' | 'Accepted' | 'Withdrawn'>>().toEqualTypeOf<
    'Made' | 'Accepted' | 'Withdrawn'
  >()
  // What it never gets, it need not decide upon.
  expectTypeOf<keyof Told<'Made'>>().toEqualTypeOf<'Made'>()
  expectTypeOf<Told<'Made'>['Made']>().toEqualTypeOf<OnUnmet | undefined>()
})

test('evolve knows the state, behind everything that hands on events', () => {
  const fold = (before: Lead, event: Made): Lead => ({ cents: before.cents + event.data.cents })
  processor('p', offers, {
    state: lead,
    pipeline: (lane) => {
      const folded = lane.pipe(
        ofType('Made'),
        filter(({ data }) => data.cents > 0),
        concatMap((event) => [event]),
        delay(1),
        durableDelay('wait', 1),
        evolve((before, event) => {
          expectTypeOf(before).toEqualTypeOf<Lead>()
          expectTypeOf(event).toExtend<Made>()
          return { cents: before.cents + event.data.cents }
        }),
      )
      expectTypeOf(folded).toExtend<Observable<Evolved<Made, Lead>>>()
      const byName = lane.pipe(ofType('Made'), evolve(fold))
      expectTypeOf(byName).toExtend<Observable<Evolved<Made, Lead>>>()
      return merge(folded, byName)
    },
  })
})

test('windows and joins can be folded too', () => {
  processor('p', offers, {
    state: lead,
    pipeline: (lane) =>
      merge(
        lane.pipe(
          ofType('Made'),
          tumblingWindow('minute', 60_000),
          evolve((before, window) => {
            expectTypeOf(window.values).toExtend<readonly Made[]>()
            return { cents: before.cents + window.values.length }
          }),
        ),
        lane.pipe(
          join('deal', 'Made', 'Accepted', { withinMs: 1_000 }),
          evolve((before, { left, right }) => {
            expectTypeOf(left).toExtend<Made | undefined>()
            expectTypeOf(right).toExtend<Accepted | undefined>()
            return before
          }),
        ),
        lane.pipe(
          join('deal2', 'Made', 'Accepted'),
          evolve((before, { left, right }) => ({
            cents: left.data.cents + right.data.by.length + before.cents,
          })),
        ),
      ),
  })
})

test('a buffer is an array of what went in', () => {
  processor('p', offers, {
    pipeline: (lane) => {
      expectTypeOf(lane.pipe(ofType('Made'), bufferTime(5))).toExtend<Observable<readonly Made[]>>()
      return lane
    },
  })
})

test('a plain handler knows its state', () => {
  processor('p', offers, {
    state: lead,
    handle: (event, context) => {
      expectTypeOf(event).toExtend<EventOf<typeof offers>>()
      expectTypeOf(context.state).toEqualTypeOf<Lead>()
    },
  })
})

test('an effect runs with what its schema lets through', () => {
  const schema = z.object({ cents: z.string().transform(Number) })
  defineEffect('quote', {
    schema,
    run: (payload) => {
      expectTypeOf(payload).toEqualTypeOf<{ cents: number }>()
    },
  })
})

test('what is declared wrongly is refused at once', () => {
  const pipeline = (lane: Observable<unknown>) => lane
  const quote = defineEffect('quote', { schema: z.object({}), run: () => {} })
  expect(() => processor('Bad Name', offers, { pipeline })).toThrow('lower case')
  expect(() => processor('p', offers, { types: JSON.parse('["Gone"]') as ['Made'], pipeline })).toThrow(
    '"Gone"',
  )
  expect(() => processor('p', offers, { effects: [quote, quote], pipeline })).toThrow('two effects')
  expect(() => defineEffect('Quote', { schema: z.object({}), run: () => {} })).toThrow('lower case')
  expect(() => state({ initial: () => 0, version: 2 })).toThrow('no migration from version 1')
  expect(() => state({ initial: () => 0, version: 0 })).toThrow('whole number')
  expect(() => state({ initial: () => 0, maxBytes: 0 })).toThrow('whole number')
})
