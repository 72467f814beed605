import type { OperatorFunction } from 'rxjs'
import { assertDurableMs } from './durable-ms.ts'
import { durable } from './durable.ts'
import type { Window, WindowOf } from './window.ts'

/**
 * Gathers the values of each period of so many ms (counted from the epoch, by the time at which events were recorded)
 * and hands them on together when it is over: by its timer, across restarts and on whatever member, or by the first
 * event that was recorded after it. Events are settled at once; values wait in the key's record, so that they must be
 * JSON and small: past `maxBytes` of the state the event that is too much fails with `state.too-large`.
 *
 * @param name Of its own within the pipeline. Renaming it loses what waits under the old name.
 */
export function tumblingWindow<V>(name: string, ms: number): OperatorFunction<V, Window<V>> {
  assertDurableMs('tumblingWindow()', ms)
  return durable<V, WindowOf<V>, Omit<WindowOf<V>, 'endMs'>>('tumblingWindow()', name, (desk) => ({
    next: (value, delivery, kept) => {
      const { timeMs } = delivery
      const over = kept?.dueMs !== undefined && kept.dueMs <= timeMs
      const open = over ? undefined : kept?.data
      const startMs = open?.startMs ?? timeMs - (timeMs % ms)
      desk.remember(delivery, {
        data: { startMs, values: [...(open?.values ?? []), value] },
        dueMs: startMs + ms,
      })
      if (over) desk.handOn({ ...kept.data, endMs: kept.data.startMs + ms })
    },
    fire: (delivery, { data }) => {
      desk.remember(delivery, undefined)
      desk.handOn({ ...data, endMs: data.startMs + ms })
    },
  }))
}
