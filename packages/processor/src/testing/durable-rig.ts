import { type EventOf, topic } from '@millrace/event'
import { type Observable, tap } from 'rxjs'
import { z } from 'zod'
import type { Delivery } from '../lane/delivery.ts'
import { decodeRecord, encodeRecord, type KeyRecord } from '../model/key-record.ts'
import { type Processor, processor } from '../model/processor.ts'
import { LaneRig } from './lane-rig.ts'
import { VirtualTime } from '@millrace/event'

export const things = topic('things', {
  types: { Made: z.object({ n: z.int() }), Paid: z.object({ n: z.int() }), Lost: z.object({}) },
})
export type Thing = EventOf<typeof things>

/** Begins at a whole minute, so that windows begin there. */
export const startMs = 1_700_000_040_000

/** A key's lane with the store's part played: what is settled survives, timers fire, and each lane may be replaced. */
export class DurableRig {
  readonly time = new VirtualTime(startMs)
  readonly out: unknown[] = []
  /** Everything that went through its lanes, in order. */
  readonly deliveries: Delivery[] = []
  rig: LaneRig
  #record: KeyRecord | undefined
  readonly #definition: Processor
  readonly #timers = new Map<string, number>()

  constructor(pipeline: (lane: Observable<Thing>) => Observable<unknown>) {
    this.#definition = processor('group', things, {
      pipeline: (lane) => pipeline(lane).pipe(tap((value) => this.out.push(seen(value)))),
    })
    this.rig = this.#begin()
  }

  get timers(): Record<string, number> {
    return Object.fromEntries([...this.#timers].map(([name, dueMs]) => [name, dueMs - startMs]))
  }

  feed(type: Thing['type'], n = 0): Delivery {
    const delivery = this.rig.feed(type, type === 'Lost' ? {} : { n })
    this.#commit(delivery)
    return delivery
  }

  /** Time passes; what is due fires, at its time or when all has passed. */
  pass(ms: number, late = false): void {
    const untilMs = this.time.now() + ms
    if (late) this.time.advance(ms)
    for (;;) {
      const [next] = [...this.#timers]
        .filter(([, dueMs]) => dueMs <= untilMs)
        .toSorted(([, a], [, b]) => a - b)
      if (next === undefined) break
      const [name, dueMs] = next
      if (!late) this.time.advance(dueMs - this.time.now())
      this.#commit(this.rig.fire(name, dueMs))
    }
    this.time.advance(untilMs - this.time.now())
  }

  /** Another member takes over: all it has is what lies in the store. */
  restart(): void {
    const stored = encodeRecord(this.#definition, this.rig.lane.record)
    this.rig.lane.close()
    this.#record = decodeRecord(this.#definition, JSON.parse(JSON.stringify(stored)) as typeof stored)
    this.rig = this.#begin()
  }

  #begin(): LaneRig {
    return new LaneRig(this.#definition, { time: this.time, ...(this.#record && { record: this.#record }) })
  }

  #commit(delivery: Delivery): void {
    if (!delivery.settled) throw new Error('A durable operator holds an event')
    this.deliveries.push(delivery)
    for (const { name, dueMs } of delivery.timers ?? [])
      if (dueMs === undefined) this.#timers.delete(name)
      else this.#timers.set(name, dueMs)
  }
}

function seen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(seen)
  if (typeof value !== 'object' || value === null) return value
  if ('values' in value) return seen(value.values)
  if ('left' in value && 'right' in value) return [seen(value.left), seen(value.right)]
  return 'data' in value ? (value as Thing & { data: { n: number } }).data.n : value
}
