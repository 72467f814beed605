import type { MonoTypeOperatorFunction } from 'rxjs'
import { assertDurableMs } from './durable-ms.ts'
import { durable } from './durable.ts'

/**
 * Hands on a value when the key has had no other one for so many ms after it, across restarts and on whatever member.
 * Events are settled at once; the last value waits in the key's record, so that it must be JSON and small.
 *
 * @param name Of its own within the pipeline. Renaming it loses what waits under the old name.
 */
export function durableDebounce<V>(name: string, ms: number): MonoTypeOperatorFunction<V> {
  assertDurableMs('durableDebounce()', ms)
  return durable<V, V, V>('durableDebounce()', name, (desk) => ({
    next: (value, delivery, kept) => {
      desk.remember(delivery, { data: value, dueMs: delivery.timeMs + ms })
      // Its silence was long enough: only its timer is late.
      if (kept?.dueMs !== undefined && kept.dueMs <= delivery.timeMs) desk.handOn(kept.data)
    },
    fire: (delivery, { data }) => {
      desk.remember(delivery, undefined)
      desk.handOn(data)
    },
  }))
}
