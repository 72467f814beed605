import type { KeyRecord, OperatorMemory } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import type { Delivery } from './delivery.ts'

// No literal: see recording.ts.
class Folded implements KeyRecord {
  readonly state: unknown
  readonly ops: KeyRecord['ops']

  constructor(state: unknown, ops: KeyRecord['ops']) {
    this.state = state
    this.ops = ops
  }
}

/**
 * The record of a lane's key: as it is after everything that has been handled, whether settled or not, and as it is
 * after what is settled. Changes come in the order of the lane, so that each settled prefix has a record of its own.
 */
export class Memory {
  /** After everything that has been handled. */
  latest: KeyRecord
  /** After what is settled. */
  settled: KeyRecord
  /** Place of the delivery that made the last change. */
  #changedAt = 0

  constructor(processor: Processor, key: string, record: KeyRecord) {
    const { state } = processor
    this.settled = record
    this.latest =
      state === undefined || record.state !== undefined
        ? record
        : { state: state.initial(key), ops: record.ops }
  }

  /** Answers false when a later delivery has changed the record already. */
  setState(delivery: Delivery, state: unknown): boolean {
    return this.#set(delivery, new Folded(state, this.latest.ops))
  }

  /** Changes what one durable operator remembers; undefined forgets it. Answers as {@link setState}. */
  setOperator(delivery: Delivery, name: string, memory: OperatorMemory | undefined): boolean {
    const { [name]: before, ...others } = this.latest.ops
    const ops = memory === undefined ? others : { ...others, [name]: memory }
    if (!this.#set(delivery, { state: this.latest.state, ops })) return false
    const dueMs = memory?.timer?.dueMs
    if (dueMs !== before?.timer?.dueMs) (delivery.timers ??= []).push({ name, dueMs })
    return true
  }

  #set(delivery: Delivery, record: KeyRecord): boolean {
    if (delivery.place < this.#changedAt) return false
    this.#changedAt = delivery.place
    this.latest = delivery.after = record
    return true
  }
}
