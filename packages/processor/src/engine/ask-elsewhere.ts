import { MillraceError, validate } from '@millrace/event'
import type { Timers } from '../lane/timers.ts'
import type { AsOf, MigratedKey } from '../migrated-key.ts'
import type { FirstTouch, ForeignLoad, ForeignState } from '../model/first-touch.ts'
import type { Processor } from '../model/processor.ts'
import { textOfState } from '../model/taken-over.ts'

/** What is known of a key when another system is asked for it. */
export interface Asked {
  readonly key: string
  readonly correlationId: string
  readonly signal: AbortSignal
}

/** How somebody else is asked. */
export interface AskSettings<S> {
  readonly load: ForeignLoad<S>
  readonly timeoutMs: number
  readonly timers: Timers
}

/**
 * Asks another system for the state of a key, within its time limit.
 *
 * @throws MillraceError `touch.unavailable`: no answer, which a repeat may mend; `touch.refused`: none is to be expected
 */
export async function askElsewhere<S>(
  { timers, timeoutMs, load }: AskSettings<S>,
  { key, correlationId, signal }: Asked,
): Promise<ForeignState<S> | undefined> {
  const ending = new AbortController()
  // One that heeds no signal must not hold its key up for ever.
  let giveUp = (_: Error): void => undefined
  const given = new Promise<never>((_, reject) => {
    giveUp = reject
  })
  const abort = (why: string) => {
    const error = new Error(why)
    ending.abort(error)
    giveUp(error)
  }
  const leave = () => abort('The right to handle the key is lost')
  signal.addEventListener('abort', leave, { once: true })
  const cancel = timers.set(timeoutMs, () => abort(`No answer within ${timeoutMs} ms`))
  try {
    if (signal.aborted) leave()
    return await Promise.race([load(key, { signal: ending.signal, correlationId }), given])
  } catch (cause) {
    const final = cause instanceof MillraceError && !cause.retryable
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new MillraceError(final ? 'touch.refused' : 'touch.unavailable', `Key ${key}: ${message}`, {
      cause,
    })
  } finally {
    cancel()
    signal.removeEventListener('abort', leave)
  }
}

/**
 * Asks for a key, and answers what is to be journalled of it.
 *
 * @throws MillraceError as {@link askElsewhere}; `touch.refused` also when the answer breaks the state's schema
 */
export async function migrationOf(
  processor: Processor,
  { load, timeoutMs }: FirstTouch<unknown>,
  asked: Asked,
  given: {
    readonly timers: Timers
    readonly nowMs: number
    readonly after: Pick<MigratedKey, 'seq' | 'id'>
  },
): Promise<MigratedKey> {
  const { key } = asked
  const { timers, nowMs, after } = given
  const answer = await askElsewhere({ load, timeoutMs, timers }, asked)
  const entry = { key, ...after, atMs: nowMs }
  if (answer === undefined)
    return { ...entry, asOf: undefined, version: processor.state?.version ?? 1, state: '' }
  try {
    const { schema } = processor.state ?? {}
    const state = schema === undefined ? answer.state : validate(schema, answer.state, `The state of ${key}`)
    return { ...entry, asOf: asOfIn(answer), ...textOfState(processor, state) }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new MillraceError('touch.refused', `Key ${key}: ${message}`, { cause })
  }
}

function asOfIn({ asOf }: ForeignState<unknown>): AsOf {
  if (!(asOf instanceof Date)) return { seq: asOf.seq }
  const ms = asOf.getTime()
  if (!Number.isFinite(ms)) throw new TypeError('asOf is no time')
  return { ms }
}
