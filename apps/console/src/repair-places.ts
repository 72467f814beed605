import { MillraceError } from '@millrace/event'
import type { KitContext } from '@millrace/hono'
import type { DeadFilter, DeadItem, GroupPartition } from '@millrace/processor'
import type { RepairsApiOptions } from './repairs-options.ts'

export const notFound = ['topic.unknown', 'group.unknown'] as const

/** The dead letter or held key that a path names. */
export async function itemOf(
  options: RepairsApiOptions,
  c: KitContext,
): Promise<{ at: GroupPartition; item: DeadItem }> {
  const at = placeOf(options, c)
  const seq = numberOf(c, 'seq')
  const [letter] = await options.store.deadLetters(at, { after: seq - 1, limit: 1 })
  const filter: DeadFilter = letter?.seq === seq ? { key: letter.key, status: 'dead' } : { status: 'held' }
  let after: string | undefined
  do {
    const page = await options.store.deadItems(at, {
      filter,
      limit: 500,
      ...(after === undefined ? {} : { after }),
    })
    const item = page.items.find((one) => one.seq === seq)
    if (item) return { at, item }
    after = page.next
  } while (after !== undefined)
  throw new MillraceError('repair.gone', `Event ${seq} is neither held nor a dead letter`)
}

/** The group's partition that a path names. */
export function placeOf(options: RepairsApiOptions, c: KitContext): GroupPartition {
  const known = groupNamed(options, c.req.param('topic') ?? '', c.req.param('group') ?? '')
  return groupPartition(known, numberOf(c, 'partition'))
}

/** A partition of a group. @throws MillraceError `request.invalid` where there is no such one */
export function groupPartition(known: Omit<GroupPartition, 'partition'>, partition: number): GroupPartition {
  const { name, partitions } = known.topic
  if (partition >= partitions)
    throw new MillraceError('request.invalid', `${name} has ${partitions} partitions`)
  return { ...known, partition }
}

/** A group that this interface knows. */
export function groupNamed({ groups }: RepairsApiOptions, topic: string, group: string) {
  const ofTopic = groups.filter((one) => one.topic.name === topic)
  if (ofTopic.length === 0) throw new MillraceError('topic.unknown', `There is no topic "${topic}" here`)
  const known = ofTopic.find((one) => one.group === group)
  if (!known) throw new MillraceError('group.unknown', `There is no group "${group}" of ${topic} here`)
  return { topic: known.topic, group: known.group }
}

function numberOf(c: KitContext, name: string): number {
  const text = c.req.param(name) ?? ''
  if (!/^\d{1,15}$/.test(text)) throw new MillraceError('request.invalid', `${name} is a whole number`)
  return Number(text)
}

/** Where a list goes on: the partition, and where in it; with a selection, until when. */
export function cursorOf(after: string | undefined, partition: number) {
  const [at = partition, atMs, seq, untilMs] = (after ?? '').split(' ').filter(Boolean).map(Number)
  return {
    partition: Number.isSafeInteger(at) && at >= 0 ? at : partition,
    after: Number.isSafeInteger(atMs) && Number.isSafeInteger(seq) ? `${atMs} ${seq}` : undefined,
    untilMs: Number.isSafeInteger(untilMs) ? untilMs : undefined,
  }
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

export function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}
