import {
  type EncodedEvent,
  encodeEvent,
  envelopeOf,
  type Event,
  limits,
  MillraceError,
  type Topic,
} from '@millrace/event'
import type { AppendUnit, ChannelBatch } from './append.ts'
import { checkChannelBatch, keyOfUnit } from './units.ts'

/** Events as JSON, each with its size in bytes of UTF-8. */
export interface Encoded {
  readonly texts: readonly string[]
  readonly sizes: readonly number[]
  /** Sum of the sizes. */
  readonly bytes: number
}

/** A unit that is ready to be sent: checked and encoded. */
export interface Prepared extends Encoded {
  readonly unit: AppendUnit
  readonly key: string
}

/**
 * Checks and encodes one unit, so that a wrong one is refused alone and not with its neighbours.
 *
 * @throws TypeError when the topic cannot hold claims: a mistake in code
 */
export function prepare(topic: Topic, unit: AppendUnit): Prepared | MillraceError {
  if (unit.claims && unit.claims.length > 0 && topic.placement !== 'together')
    throw new TypeError(
      `Topic ${topic.name} has uniqueness constraints, so its placement must be 'together': claims and log share one slot`,
    )
  try {
    if (unit.events.length > limits.appendEvents)
      throw new MillraceError('append.limit', `A unit has at most ${limits.appendEvents} events`)
    const key = keyOfUnit(unit)
    const { texts, sizes, bytes } = encode(topic, unit.events, unit.encoded)
    return { unit, key, texts, sizes, bytes }
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
}

/**
 * Checks and encodes a channel batch.
 *
 * @throws MillraceError `event.invalid`, `event.too-large`, `append.limit`
 */
export function prepareBatch(topic: Topic, batch: ChannelBatch): Encoded {
  checkChannelBatch(topic, batch)
  return encode(topic, batch.events)
}

const none: readonly EncodedEvent[] = []

function encode(topic: Topic, events: readonly Event[], encoded: readonly EncodedEvent[] = none): Encoded {
  const texts: string[] = []
  const sizes: number[] = []
  let bytes = 0
  for (let at = 0; at < events.length; at++) {
    const event = events[at] as Event
    const known = encoded[at]
    // An envelope that cannot be read back would stop every reader of the partition.
    const text = known?.event === event ? known.text : encodeEvent(topic, envelopeOf(event))
    const size = Buffer.byteLength(text)
    texts.push(text)
    sizes.push(size)
    bytes += size
  }
  if (bytes > limits.appendBytes)
    throw new MillraceError('append.limit', `An append has at most ${limits.appendBytes} bytes`)
  return { texts, sizes, bytes }
}
