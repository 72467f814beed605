import { MillraceError, type Topic } from '@millrace/event'
import {
  appendHeard,
  type AppendResult,
  type ChannelBatch,
  type ChannelResult,
  type Prepared,
  tellAppend,
} from '@millrace/log'
import type { Flush } from './gather.ts'

/** Tells of appends on the diagnostics channel, when somebody listens. */
export function watchedFlush(flush: Flush): Flush {
  return (topic, parts, kind) => {
    // Not async: nobody pays for a promise more when nobody listens.
    if (!appendHeard()) return flush(topic, parts, kind)
    const tell = (began: number, answers: Awaited<ReturnType<Flush>> | MillraceError) => {
      const tookMs = performance.now() - began
      for (const [at, { partition, units }] of parts.entries()) {
        const results = answers instanceof MillraceError ? answers : answers[at]
        if (results !== undefined)
          tellAppend({ kind: 'units', topic: topic.name, partition, tookMs, ...answered(units, results) })
      }
    }
    return timed(() => flush(topic, parts, kind), tell)
  }
}

/** Without the units that nothing was said of: those are appended by another call. */
function answered(
  units: readonly Prepared[],
  results: readonly (AppendResult | undefined)[] | MillraceError,
): { readonly units: readonly Prepared[]; readonly results: readonly AppendResult[] | MillraceError } {
  if (results instanceof MillraceError || isWhole(results)) return { units, results }
  return {
    units: units.filter((_, at) => results[at] !== undefined),
    results: results.filter((result) => result !== undefined),
  }
}

function isWhole(results: readonly (AppendResult | undefined)[]): results is readonly AppendResult[] {
  return !results.includes(undefined)
}

/** The same for a channel batch. */
export function watchedChannel(
  topic: Topic,
  batch: ChannelBatch,
  append: () => Promise<ChannelResult>,
): Promise<ChannelResult> {
  if (!appendHeard()) return append()
  const { partition, events } = batch
  return timed(append, (began, result) => {
    const tookMs = performance.now() - began
    tellAppend({ kind: 'channel', topic: topic.name, partition, tookMs, events, result })
  })
}

async function timed<T>(
  act: () => Promise<T>,
  tell: (began: number, answer: T | MillraceError) => void,
): Promise<T> {
  const began = performance.now()
  try {
    const answer = await act()
    tell(began, answer)
    return answer
  } catch (error) {
    if (error instanceof MillraceError) tell(began, error)
    throw error
  }
}
