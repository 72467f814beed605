import { type Event, type EventOf, newEvent, systemClock, topic } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import {
  createLane,
  Delivery,
  emit,
  emptyRecord,
  encodeRecord,
  evolve,
  type Lane,
  type LaneHooks,
  type Processor,
  processor,
  state,
  systemTimers,
} from '@millrace/processor'
import { filter } from 'rxjs'
import { z } from 'zod'
import { type Contender, interleaved, type Work } from './measure.ts'
import { type Goal, type Report, report } from './report.ts'

const events = 1_000_000
const keys = 1_000
/** One event in so many leads to another: what that costs is the same everywhere, and would hide the rest. */
const emitEvery = 100

const goals: readonly Goal[] = [
  { what: 'a lane, above a plain handler (µs)', above: ['lane', 'plain'], must: 1.5, aim: 0.7 },
  { what: 'the short form, above a plain handler (µs)', above: ['short', 'plain'], must: 1.5, aim: 0.7 },
]

const readings = topic('readings', { types: { Read: z.object({ value: z.int() }) } })
const alarms = topic('alarms', { types: { Raised: z.object({ value: z.int() }) } })
type Read = EventOf<typeof readings>
interface Sum {
  readonly sum: number
}
const sum = state({ initial: (): Sum => ({ sum: 0 }) })

const pipeline = processor('pipeline', readings, {
  state: sum,
  pipeline: (lane) =>
    lane.pipe(
      filter(({ data }) => data.value >= 0),
      evolve((before, { data }) => ({ sum: before.sum + data.value })),
      emit(alarms, ({ event: { data } }) => (raises(data.value) ? { type: 'Raised', data } : undefined)),
    ),
})

const short = processor('short', readings, {
  state: sum,
  handle: ({ data }, context) => {
    if (data.value < 0) return
    context.evolve({ sum: context.state.sum + data.value })
    if (raises(data.value)) context.emit(alarms, { type: 'Raised', data })
  },
})

/** What a million events cost in the lanes of a thousand keys, without a log or a store. */
export async function benchLanes(rounds: number, progress: (line: string) => void): Promise<Report> {
  const read = makeEvents()
  const contenders: readonly Contender[] = [
    { name: 'plain', run: () => timed(() => byHand(read)) },
    { name: 'lane', run: () => timed(() => byLanes(pipeline, read)) },
    { name: 'short', run: () => timed(() => byLanes(short, read)) },
  ]
  return report('lanes', goals, await interleaved(contenders, rounds, undefined, progress), {
    plain: 'a handler called by a loop, its state in a Map by key',
    lane: `a pipeline of filter, evolve and emit (1 in ${emitEvery}), ${keys} kept lanes`,
    short: 'the same as a plain handler, in lanes',
  })
}

function raises(value: number): boolean {
  return value % emitEvery === 0
}

function makeEvents(): readonly Recorded<Read>[] {
  return Array.from({ length: 10_000 }, (_, n) => {
    const event = newEvent(readings, { type: 'Read', key: `key-${n % keys}`, data: { value: n } }) as Read
    return { event, position: { topic: 'readings', partition: 0, id: `1-${n}`, seq: n } }
  })
}

/** The loop that one would write: no order to keep, because nothing waits; no outcome but state and emits. */
function byHand(read: readonly Recorded<Read>[]): void {
  const states = new Map<string, Sum>()
  const emitted: Event[] = []
  for (let n = 0; n < events; n++) {
    const { event } = read[n % read.length] as Recorded<Read>
    const { value } = event.data
    if (value < 0) continue
    const before = states.get(event.subject) ?? { sum: 0 }
    states.set(event.subject, { sum: before.sum + value })
    if (raises(value)) emitted.push(newEvent(alarms, { type: 'Raised', key: event.subject, data: { value } }))
  }
  assertAll(states.size, emitted.length)
}

function byLanes(definition: Processor, read: readonly Recorded<Read>[]): void {
  const lanes = new Map<string, Lane>()
  let settled = 0
  let emitted = 0
  const hooks: LaneHooks = {
    settled: ({ emits }) => {
      settled += 1
      if (emits !== undefined) emitted += emits.length
    },
    failed: (_, error) => {
      throw error
    },
    ended: () => {
      throw new Error('A lane has ended')
    },
  }
  for (let n = 0; n < events; n++) {
    const recorded = read[n % read.length] as Recorded<Read>
    const key = recorded.event.subject
    let lane = lanes.get(key)
    if (lane === undefined) {
      const common = { record: emptyRecord, hooks, timers: systemTimers, clock: systemClock }
      lanes.set(key, (lane = createLane(definition, { key, ...common })))
    }
    lane.feed(Delivery.ofEvent(recorded))
  }
  if (settled !== events) throw new Error(`${settled} of ${events} settled`)
  assertAll(lanes.size, emitted)
  for (const lane of lanes.values()) encodeRecord(definition, lane.record)
}

function assertAll(states: number, emitted: number): void {
  if (states !== keys || emitted !== events / emitEvery) throw new Error(`${states} keys, ${emitted} emits`)
}

async function timed(act: () => void): Promise<Work> {
  const start = performance.now()
  act()
  return { events, seconds: (performance.now() - start) / 1_000 }
}
