import type { OperatorFunction } from 'rxjs'
import { assertDurableMs } from './durable-ms.ts'
import { durable } from './durable.ts'
import type { Window, WindowOf } from './window.ts'

/** Options of {@link sessionWindow}. */
export interface SessionOptions {
  /** A session is over after so many ms, even if it goes on. Default: it may last for ever. */
  readonly maxMs?: number
}

/**
 * Gathers values until the key has had none for `gapMs`, and hands them on together: by a timer, across restarts and
 * on whatever member, or with the first event that was recorded later. Otherwise like `tumblingWindow`.
 *
 * @param name Of its own within the pipeline. Renaming it loses what waits under the old name.
 */
export function sessionWindow<V>(
  name: string,
  gapMs: number,
  options: SessionOptions = {},
): OperatorFunction<V, Window<V>> {
  assertDurableMs('sessionWindow()', gapMs)
  const { maxMs = Number.POSITIVE_INFINITY } = options
  if (maxMs !== Number.POSITIVE_INFINITY) assertDurableMs('sessionWindow()', maxMs)
  return durable<V, WindowOf<V>, WindowOf<V>>('sessionWindow()', name, (desk) => ({
    next: (value, delivery, kept) => {
      const { timeMs } = delivery
      const over = kept?.dueMs !== undefined && kept.dueMs <= timeMs
      const open = over ? undefined : kept?.data
      const startMs = open?.startMs ?? timeMs
      const endMs = Math.max(timeMs, open?.endMs ?? timeMs)
      desk.remember(delivery, {
        data: { startMs, endMs, values: [...(open?.values ?? []), value] },
        dueMs: Math.min(endMs + gapMs, startMs + maxMs),
      })
      if (over) desk.handOn(kept.data)
    },
    fire: (delivery, { data }) => {
      desk.remember(delivery, undefined)
      desk.handOn(data)
    },
  }))
}
