import { derivedId, MillraceError } from '@millrace/event'
import { undeclared } from './pipeline-fault.ts'
import type { OperatorMemory } from '../model/key-record.ts'
import type { Delivery } from './delivery.ts'
import type { LaneCore } from './lane-core.ts'

/** The part of a durable operator that waits for its timer. */
export interface DurableOperator {
  /** Its timer is due; the firing is the current load. */
  fire(delivery: Delivery, memory: OperatorMemory): void
}

/** The durable operators of one lane, by the names under which the key's record remembers them. */
export class DurableOperators {
  readonly #byName = new Map<string, DurableOperator>()

  /** @throws MillraceError `pipeline.undeclared` when the name is in use; the lane has failed then */
  add(lane: LaneCore, name: string, operator: DurableOperator): void {
    if (this.#byName.has(name))
      throw lane.fault(undeclared(`Two durable operators of one pipeline are called "${name}"`))
    this.#byName.set(name, operator)
  }

  remove(name: string): void {
    this.#byName.delete(name)
  }

  /** @throws MillraceError `timer.unknown` */
  fire(lane: LaneCore, delivery: Delivery): void {
    const { timer } = delivery
    const memory = lane.memory.latest.ops[timer?.name ?? '']
    // Moved or cancelled by an event that came before it in the lane.
    if (timer === undefined || memory?.timer?.dueMs !== timer.dueMs) return
    const operator = this.#byName.get(timer.name)
    if (operator === undefined)
      throw new MillraceError(
        'timer.unknown',
        `A timer of "${timer.name}" is due, and the pipeline of ${lane.processor.name} has no such operator`,
        { details: { name: timer.name, dueMs: timer.dueMs } },
      )
    const { cause } = memory.timer
    delivery.cause = { ...cause, id: derivedId('timer', cause.id, timer.name, String(timer.dueMs)) }
    operator.fire(delivery, memory)
  }
}
