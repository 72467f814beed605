import type { Page } from '@millrace/log'
import type { GroupPartition } from '@millrace/processor'
import { cursorOf, defined, groupNamed, groupPartition } from './repair-places.ts'
import type { RepairsApiOptions } from './repairs-options.ts'

/** What a request says of a list that goes through the partitions of a group. */
interface ListInput {
  readonly topic: string
  readonly group: string
  /** This one alone. */
  readonly partition?: number | undefined
  /** The `next` of the answer before. */
  readonly after?: string | undefined
  readonly limit: number
}

/** Where in a partition a page begins, and how long it may be. */
export interface PagePlace {
  readonly limit: number
  readonly after?: string
}

/**
 * A page of a list that goes through the partitions of a group, one after the other.
 *
 * @throws MillraceError `topic.unknown`, `group.unknown`, `request.invalid` where there is no such partition
 */
export async function pageThrough<Item, Shown>(
  options: RepairsApiOptions,
  { topic, group, partition, after, limit }: ListInput,
  read: (at: GroupPartition, place: PagePlace) => Promise<Page<Item>>,
  show: (item: Item, at: GroupPartition) => Shown,
): Promise<{ readonly items: readonly Shown[]; readonly next: string | null }> {
  const known = groupNamed(options, topic, group)
  const last =
    partition === undefined ? known.topic.partitions - 1 : groupPartition(known, partition).partition
  const from = cursorOf(after, partition ?? 0)
  const items: Shown[] = []
  for (let at = from.partition; at <= last; at += 1) {
    const place = { ...known, partition: at }
    const begin = at === from.partition ? from.after : undefined
    const page = await read(place, { limit: limit - items.length, ...defined({ after: begin }) })
    items.push(...page.items.map((item) => show(item, place)))
    if (page.next !== undefined) return { items, next: `${at} ${page.next}` }
    if (items.length >= limit && at < last) return { items, next: String(at + 1) }
  }
  return { items, next: null }
}
