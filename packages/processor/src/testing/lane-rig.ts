import { newEvent } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { createLane } from '../lane/create-lane.ts'
import { Delivery } from '../lane/delivery.ts'
import type { Lane } from '../lane/lane.ts'
import { emptyRecord, type KeyRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import { VirtualTime } from '@millrace/event'

/** One lane with everything that it has told, for tests: an engine without a store. */
export class LaneRig {
  readonly time: VirtualTime
  readonly lane: Lane
  /** Every delivery that was fed, by its number. */
  readonly fed: Delivery[] = []
  /** What was told, in order: `1` for the first event settled, `1+2` for two together, `!2 code`, `end`. */
  readonly told: string[] = []
  readonly errors: unknown[] = []
  readonly #processor: Processor
  readonly #key: string

  constructor(
    processor: Processor,
    options: { readonly key?: string; readonly record?: KeyRecord; readonly time?: VirtualTime } = {},
  ) {
    this.#processor = processor
    this.#key = options.key ?? 'key'
    this.time = options.time ?? new VirtualTime()
    this.lane = createLane(processor, {
      key: this.#key,
      record: options.record ?? emptyRecord,
      timers: this.time,
      clock: this.time,
      hooks: {
        settled: (delivery, together) =>
          this.told.push([...together, delivery].map((one) => this.numberOf(one)).join('+')),
        failed: (delivery, error) => {
          this.errors.push(error)
          this.told.push(`!${delivery ? this.numberOf(delivery) : ''} ${codeOf(error)}`)
        },
        ended: () => this.told.push('end'),
      },
    })
  }

  /** Feeds an event; its number counts all that were fed. */
  feed(type: string, data: unknown = {}): Delivery {
    const delivery = Delivery.ofEvent(this.recorded(type, data))
    this.fed.push(delivery)
    this.lane.feed(delivery)
    return delivery
  }

  /** Fires a durable timer. */
  fire(name: string, dueMs: number): Delivery {
    const delivery = Delivery.ofTimer(this.#key, { name, dueMs })
    this.fed.push(delivery)
    this.lane.fire(delivery)
    return delivery
  }

  /** Feeds what another lane has left, in order. */
  again(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      if (this.lane.over) return
      this.fed.push(delivery)
      if (delivery.timer === undefined) this.lane.feed(delivery)
      else this.lane.fire(delivery)
    }
  }

  recorded(type: string, data: unknown = {}): Recorded {
    const { topic } = this.#processor
    const seq = this.fed.length + 1
    return {
      event: newEvent(topic, { type, key: this.#key, data }, this.time),
      position: { topic: topic.name, partition: 0, id: `${this.time.now()}-${seq}`, seq },
    }
  }

  numberOf(delivery: Delivery): number {
    return this.fed.indexOf(delivery) + 1
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error) return 'code' in error ? String(error.code) : error.message
  return String(error)
}
