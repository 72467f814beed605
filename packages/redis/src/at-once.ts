import { channelOf, type Commit, type OutboxDraft } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'

/**
 * How far the keys of one script may lie apart: anywhere on a `server` of its own, within one `slot` in Redis Cluster,
 * which refuses everything else.
 */
export type Reach = 'server' | 'slot'

/** An entry of the outbox in the header of `commit.lua`. */
export type EntryHeader =
  | readonly [target: string, events: number]
  | readonly [target: string, events: number, at: number, mark: string, index: readonly number[]]

/** What a commit says of emitted events, and the keys by which it may append them itself. */
export interface AtOnce {
  readonly keys: readonly string[]
  readonly header: {
    readonly outbox?: readonly EntryHeader[]
    readonly targets?: readonly (readonly [from: number, index: number])[]
    readonly channel?: string
    readonly now?: number
  }
}

/**
 * Finds out which emitted events a commit may append itself: those whose draft names its topic, where all keys of the
 * partition may be in the call.
 *
 * @param taken Keys that the call has before these.
 */
export function atOnce(place: GroupPlace, { outbox = [] }: Commit, taken: number): AtOnce {
  if (outbox.length === 0) return { keys: [], header: {} }
  const parts = new Map<string, Target>()
  const entries = outbox.map((draft): EntryHeader => {
    const name = `${draft.topic}/${draft.partition}`
    if (!isNear(place, draft)) return [name, draft.events.length]
    let target = parts.get(name)
    if (!target) parts.set(name, (target = new Target(parts.size + 1)))
    const index = draft.events.map(({ subject }) => target.indexOf(subject))
    return [name, draft.events.length, target.no, draft.events.at(-1)?.id ?? '', index]
  })
  if (parts.size === 0) return { keys: [], header: { outbox: entries } }
  const keys: string[] = []
  const targets: [number, number][] = []
  for (const draft of outbox) {
    const target = parts.get(`${draft.topic}/${draft.partition}`)
    if (!draft.target || !target || target.no !== targets.length + 1) continue
    targets.push([taken + keys.length + 1, target.subjects.length])
    for (const key of place.keys.append(draft.target, draft.partition, target.subjects)) keys.push(key)
  }
  const now = place.now()
  const header = {
    outbox: entries,
    targets,
    channel: channelOf(place.at),
    ...(now === undefined ? {} : { now }),
  }
  return { keys, header }
}

/** The keys of one target partition's index, numbered from 1. */
class Target {
  readonly no: number
  readonly subjects: string[] = []
  readonly #numbers = new Map<string, number>()

  constructor(no: number) {
    this.no = no
  }

  indexOf(subject: string): number {
    const known = this.#numbers.get(subject)
    if (known !== undefined) return known
    const number = this.subjects.push(subject)
    this.#numbers.set(subject, number)
    return number
  }
}

// What a later generation emits is not for the topic.
function isNear({ at, reach, keys, partition }: GroupPlace, draft: OutboxDraft): boolean {
  if (!draft.target || (at.generation ?? 0) > 0) return false
  return (
    reach === 'server' || tagIn(keys.partition(draft.target, draft.partition).log) === tagIn(partition.log)
  )
}

/** What Redis Cluster hashes of a name. */
function tagIn(name: string): string {
  return name.slice(name.indexOf('{'), name.indexOf('}'))
}
