import { encodeEvent, limits, MillraceError, type Topic } from '@millrace/event'
import type { AppendUnit } from './append.ts'
import { keyOfUnit } from './units.ts'

/** A unit that is ready to be sent: checked and encoded. */
export interface Prepared {
  readonly unit: AppendUnit
  readonly key: string
  readonly texts: readonly string[]
  readonly bytes: number
}

/** Checks and encodes one unit, so that a wrong one is refused alone and not with its neighbours. */
export function prepare(topic: Topic, unit: AppendUnit): Prepared | MillraceError {
  if ((unit.claims?.length ?? 0) > 0 && topic.placement !== 'together')
    throw new TypeError(
      `Topic ${topic.name} has uniqueness constraints, so its placement must be 'together': claims and log share one slot`,
    )
  if (unit.events.length > limits.appendEvents)
    return new MillraceError('append.limit', `A unit has at most ${limits.appendEvents} events`)
  try {
    const key = keyOfUnit(unit)
    const texts = unit.events.map((event) => encodeEvent(topic, event))
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    if (bytes > limits.appendBytes)
      return new MillraceError('append.limit', `A unit has at most ${limits.appendBytes} bytes`)
    return { unit, key, texts, bytes }
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
}
