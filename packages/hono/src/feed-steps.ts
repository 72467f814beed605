import { MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import { beginning, compareIds, type EventLog, type Recorded } from '@millrace/log'
import { FeedCursor } from './feed-cursor.ts'

/** One event of a step. */
interface Stepped {
  readonly recorded: Recorded
  /** Goes past this event; gives the cursor behind it where it has one, and always for the `last`. Called once, in order. */
  readonly pass: (last: boolean) => string | undefined
}

/** What one read gave. Bounded, so that a feed holds little in memory. */
export type Step = readonly Stepped[]

/** Reads on from where the last step ended; waits up to `waitMs` for something new. */
export type Steps = (waitMs: number, signal: AbortSignal | undefined) => Promise<Step>

/** Where a feed begins. */
export interface FeedPlace {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'tips'>
  readonly topic: Topic
  /** A cursor, `latest`, or nothing for the beginning. */
  readonly after: string | undefined
}

/** Events of one step, about. */
const stepEvents = 128

/** A cursor grows with the partitions: beyond this many, only the last event of a step carries one. */
const cursorEachPartitions = 64

/** The steps through all partitions of a topic. */
export function topicSteps({ log, topic, after }: FeedPlace): Steps {
  let cursor: FeedCursor | undefined
  const each = topic.partitions <= cursorEachPartitions
  const limit = Math.max(1, Math.ceil(stepEvents / topic.partitions))
  return async (waitMs, signal) => {
    cursor ??=
      after === 'latest'
        ? FeedCursor.at(topic, await log.tips(topic))
        : after === undefined
          ? FeedCursor.start(topic)
          : FeedCursor.parse(topic, after)
    const now = cursor
    const found = await log.read(topic, new Map(now.byPartition), {
      limit,
      waitMs,
      ...(signal ? { signal } : {}),
    })
    const events = [...found.values()].flat().toSorted((a, b) => compareIds(a.position.id, b.position.id))
    return events.map((recorded, at) => ({
      recorded,
      // Only what was given out is passed: a reader that is cut off within a step goes on there.
      pass: (last) => {
        now.pass(recorded.position)
        return each || last || at === events.length - 1 ? now.toString() : undefined
      },
    }))
  }
}

/** The steps through the events of one key. Its cursor is how many events of the key one has: `v12`. */
export function keySteps({ log, topic, after, key }: FeedPlace & { readonly key: string }): Steps {
  const partition = partitionOfKey(topic, key)
  let version: number | undefined
  let tip = beginning
  const read = async (): Promise<Step> => {
    if (after === 'latest' && version === undefined)
      version = (await log.readKey(topic, key, { limit: 1 })).version
    const from = (version ??= versionIn(after))
    const { events } = await log.readKey(topic, key, { afterVersion: from, limit: stepEvents })
    version = from + events.length
    return events.map((recorded, at) => ({ recorded, pass: () => `v${from + at + 1}` }))
  }
  return async (waitMs, signal) => {
    if (waitMs > 0) {
      // The partition says that there may be news of the key. It is looked at before the key, so nothing is missed.
      const step = await read()
      if (step.length > 0) return step
      const news = await log.read(topic, new Map([[partition, tip]]), {
        limit: 500,
        waitMs,
        ...(signal ? { signal } : {}),
      })
      tip = news.get(partition)?.at(-1)?.position.id ?? tip
    } else if (tip === beginning) {
      tip = (await log.tips(topic)).find((one) => one.partition === partition)?.id ?? beginning
    }
    return read()
  }
}

function versionIn(after: string | undefined): number {
  const [, version] = /^v(\d{1,15})$/.exec(after ?? 'v0') ?? []
  if (version === undefined)
    throw new MillraceError('position.invalid', 'The cursor is not one of this key; it looks like v12')
  return Number(version)
}
