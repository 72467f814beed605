import type { MonoTypeOperatorFunction } from 'rxjs'
import type { Delivery } from '../lane/delivery.ts'
import { assertDurableMs } from './durable-ms.ts'
import { durable } from './durable.ts'

type Waiting<V> = readonly (readonly [dueMs: number, value: V])[]

/**
 * Hands each value on so many ms after its event was recorded, across restarts and on whatever member. The event is
 * settled at once; its value waits in the key's record, so that it must be JSON and small.
 *
 * @param name Of its own within the pipeline. Renaming it loses what waits under the old name.
 */
export function durableDelay<V>(name: string, ms: number): MonoTypeOperatorFunction<V> {
  assertDurableMs('durableDelay()', ms)
  return durable<V, V, Waiting<V>>('durableDelay()', name, (desk) => {
    const handOnDue = (delivery: Delivery, waiting: Waiting<V>, untilMs: number) => {
      const still = waiting.filter(([dueMs]) => dueMs > untilMs)
      const [first] = still
      desk.remember(delivery, first && { data: still, dueMs: first[0] })
      for (const [dueMs, value] of waiting) if (dueMs <= untilMs) desk.handOn(value)
    }
    return {
      next: (value, delivery, kept) => {
        const added: Waiting<V> = [...(kept?.data ?? []), [delivery.timeMs + ms, value]]
        // What is due already goes first, as if its timer had not been late.
        handOnDue(
          delivery,
          added.toSorted(([a], [b]) => a - b),
          delivery.timeMs,
        )
      },
      fire: (delivery, { data }) => handOnDue(delivery, data, delivery.timeMs),
    }
  })
}
