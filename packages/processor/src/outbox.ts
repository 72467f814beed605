import type { Event, Topic } from '@millrace/event'
import { partitionOfKey } from '@millrace/event'
import type { Page } from '@millrace/log'
import type { GroupPartition, PageOptions } from './group-partition.ts'

/** An event that a handler has emitted. */
export interface Emitted {
  readonly topic: Topic
  readonly event: Event
  /** The event as JSON, as it is to lie on the log. */
  readonly text: string
}

/** Emitted events for one partition, as a commit carries them. */
export interface OutboxDraft {
  /** Name of the target topic. */
  readonly topic: string
  /** The target's partition. */
  readonly partition: number
  readonly events: readonly Event[]
  /** The events as a JSON array. */
  readonly text: string
  /**
   * The topic itself, where its log is known to take channels: a store that reaches the partition may append the
   * events within the commit.
   */
  readonly target?: Topic
}

/** Emitted events on their way to one partition. */
export interface OutboxEntry extends Omit<OutboxDraft, 'text' | 'target'> {
  /** `<number of the commit>-<place in its outbox>`, both from 1. */
  readonly id: string
  /** Number of its first event in the channel. */
  readonly first: number
  /** Length of the events' JSON. */
  readonly size: number
}

/** What the forwarder needs of a group store. */
export interface Outbox {
  /** Entries that nobody has removed, in the order of their commits. Default limit 50. */
  outbox(at: GroupPartition, options?: PageOptions): Promise<Page<OutboxEntry>>

  /**
   * Removes entries whose events are on their target; answers how many were there. Needs no token: whoever has
   * appended an entry may say so, and may say it again. At most 1,000.
   */
  forwarded(at: GroupPartition, ids: readonly string[]): Promise<number>
}

/**
 * Most events of one entry, and most characters of their JSON (a larger event has an entry of its own): as many as an
 * entry of the log has, which it becomes as it is where the commit appends it itself.
 */
export const outboxBounds = { events: 100, size: 64 * 1024 } as const

/**
 * Sorts emitted events into entries by target partition. Those of one partition keep their order; so do, with them,
 * those of one key.
 *
 * @param taking Names of topics whose log is known to take channels.
 */
export function draftOutbox(
  emitted: readonly Emitted[],
  taking: ReadonlySet<string> = new Set(),
): readonly OutboxDraft[] {
  const drafts: OutboxDraft[] = []
  const open = new Map<Topic, Map<number, OpenDraft>>()
  let last: Topic | undefined
  let ofTopic = new Map<number, OpenDraft>()
  for (const { topic, event, text } of emitted) {
    const partition = partitionOfKey(topic, event.subject)
    // Most go where the one before went.
    if (topic !== last) {
      ofTopic = open.get(topic) ?? new Map<number, OpenDraft>()
      open.set(topic, ofTopic)
      last = topic
    }
    let draft = ofTopic.get(partition)
    if (draft && !draft.fits(text)) {
      drafts.push(draft.closed(topic, partition, taking))
      draft = undefined
    }
    if (!draft) ofTopic.set(partition, (draft = new OpenDraft()))
    draft.add(event, text)
  }
  for (const [topic, drafted] of open)
    for (const [partition, draft] of drafted) drafts.push(draft.closed(topic, partition, taking))
  return drafts
}

class OpenDraft {
  readonly #events: Event[] = []
  readonly #texts: string[] = []
  #size = 0

  fits(text: string): boolean {
    return this.#events.length < outboxBounds.events && this.#size + text.length <= outboxBounds.size
  }

  add(event: Event, text: string): void {
    this.#events.push(event)
    this.#texts.push(text)
    this.#size += text.length
  }

  closed(topic: Topic, partition: number, taking: ReadonlySet<string>): OutboxDraft {
    // Brackets around what was joined would have it copied once more.
    const texts = this.#texts
    texts[0] = `[${texts[0]}`
    texts[texts.length - 1] += ']'
    const draft = { topic: topic.name, partition, events: this.#events, text: texts.join(',') }
    return taking.has(topic.name) ? { ...draft, target: topic } : draft
  }
}

/**
 * Name of the line of counted events that a group's partition has into each partition of its targets.
 *
 * @throws TypeError when topic and group are too long together: a mistake in code
 */
export function channelOf({ topic, partition, group }: GroupPartition): string {
  const name = `${topic.name}.${partition}.${group}`
  if (name.length > 128)
    throw new TypeError(`The names of topic ${topic.name} and group ${group} are too long together to emit`)
  return name
}
