import type { Topic } from '@millrace/event'
import { systemTimers } from '../lane/timers.ts'
import type { Processor } from '../model/processor.ts'
import { type CompareOptions, compareShadow, type ShadowReport } from './compare-shadow.ts'

/** How a comparison goes on and on. */
export interface WatchOptions extends Omit<CompareOptions, 'keys' | 'signal'> {
  /** The pause between two comparisons of all keys, in ms. Default 60,000. */
  readonly everyMs?: number
  readonly report?: (report: ShadowReport) => void
  /** A comparison has failed: the next one comes in its time. */
  readonly failed?: (error: unknown) => void
}

/** A comparison that goes on and on. */
export interface ShadowWatching {
  /** Ends it, and resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

/** Compares all keys on and on, one comparison after the other. */
export function watchShadow<T extends Topic, S>(
  processor: Processor<T, S>,
  options: WatchOptions,
): ShadowWatching {
  const { everyMs = 60_000, timers = systemTimers, report, failed } = options
  const ending = new AbortController()
  const { signal } = ending
  const pause = () =>
    new Promise<void>((resolve) => {
      const cancel = timers.set(everyMs, resolve)
      signal.addEventListener(
        'abort',
        () => {
          cancel()
          resolve()
        },
        { once: true },
      )
    })
  const watch = async () => {
    while (!signal.aborted) {
      try {
        report?.(await compareShadow(processor, { ...options, signal }))
      } catch (error) {
        if (!signal.aborted) failed?.(error)
      }
      if (!signal.aborted) await pause()
    }
  }
  const done = watch()
  return {
    stop: () => {
      ending.abort()
      return done
    },
  }
}
