import { type Event, newEvent, topic } from '@millrace/event'
import { emit, evolve, processor, state } from '@millrace/processor'
import { z } from 'zod'

/** What the processors of the bench handle and emit, and the processors themselves: a sum for each key. */
export const readings = topic('readings', {
  types: { Read: z.object({ n: z.int(), note: z.string() }) },
  partitions: 1,
})
export const results = topic('results', {
  types: { Summed: z.object({ n: z.int(), note: z.string() }) },
  partitions: 1,
})

interface Sum {
  readonly count: number
  readonly sum: number
}
const sum = state({ initial: (): Sum => ({ count: 0, sum: 0 }) })

export const stateful = processor('stateful', readings, {
  state: sum,
  handle: ({ data }, context) => {
    const before = context.state
    context.evolve({ count: before.count + 1, sum: before.sum + data.n })
  },
})

export const pipeline = processor('pipeline', readings, {
  state: sum,
  pipeline: (lane) =>
    lane.pipe(evolve((before, { data }) => ({ count: before.count + 1, sum: before.sum + data.n }))),
})

export const emitting = processor('emitting', readings, {
  state: sum,
  handle: ({ data }, context) => {
    const before = context.state
    context.evolve({ count: before.count + 1, sum: before.sum + data.n })
    context.emit(results, { type: 'Summed', data })
  },
})

export const emittingPipeline = processor('emitting-pipeline', readings, {
  state: sum,
  pipeline: (lane) =>
    lane.pipe(
      evolve((before, { data }) => ({ count: before.count + 1, sum: before.sum + data.n })),
      emit(results, ({ event: { data } }) => ({ type: 'Summed', data })),
    ),
})

/**
 * Numbered events over so many keys; with `traceOf`, of traces. Made as they are asked for: a member has no backlog of
 * its producers in its memory, where the garbage collector would look at it again and again.
 */
export function* makeReadings(
  events: number,
  keys: number,
  traceOf?: (n: number) => string,
): Generator<Event, undefined> {
  for (let n = 0; n < events; n++)
    yield newEvent(readings, {
      ...{ type: 'Read', key: `key-${n % keys}`, data: { n, note: 'x' } },
      ...(traceOf === undefined ? {} : { traceparent: traceOf(n) }),
    })
}
