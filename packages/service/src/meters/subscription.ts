import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { metricNames } from '../metric-names.ts'
import type { Metrics } from '../metrics.ts'

/**
 * Hears a diagnostics channel until the answer is called. A meter that throws is a mistake in code: it is counted, and
 * ends neither the process (as Node would have it) nor what is measured.
 */
export function listening<News>(metrics: Metrics, name: string, hear: (news: News) => void): () => void {
  const listener = (message: unknown) => {
    try {
      hear(message as News)
    } catch {
      metrics.count(metricNames.readingsFailed, name).value += 1
    }
  }
  subscribe(name, listener)
  return () => void unsubscribe(name, listener)
}

/** The class of an error, for a label: its code, or one word for all that have none. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[\w.-]{1,60}$/.test(code) ? code : 'unexpected'
}
