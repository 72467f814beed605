import type { EventLog } from '@millrace/log'
import type { Commit } from './commit.ts'
import type { GroupPartition } from './group-partition.ts'
import type { AtOnce } from './memory-commit.ts'
import { channelOf, type OutboxDraft } from './outbox.ts'

/**
 * Asks where the channels of a commit's emitted events stand. The answer may be old when it is used, but then only too
 * low, as only the group itself brings events to its channels: its events go through the outbox then.
 */
export async function nearTo(
  log: Pick<EventLog, 'appendChannel' | 'channel'> | undefined,
  at: GroupPartition,
  { outbox = [] }: Commit,
): Promise<AtOnce & { written(): Promise<unknown> }> {
  const lasts = new Map<string, number>()
  // What a later generation emits is not for the topic.
  for (const { topic, partition, target } of (at.generation ?? 0) > 0 ? [] : outbox) {
    if (!log || !target || lasts.has(`${topic}/${partition}`)) continue
    const { incarnation, last } = await log.channel(target, partition, channelOf(at))
    if (incarnation <= 1) lasts.set(`${topic}/${partition}`, last)
  }
  const appends: Promise<unknown>[] = []
  return {
    lastOf: ({ topic, partition }) => lasts.get(`${topic}/${partition}`),
    append: ({ partition, target, events }: OutboxDraft, first) => {
      if (!log || !target) return
      const mark = events.at(-1)?.id ?? ''
      const batch = { partition, channel: channelOf(at), incarnation: 1, first, events, mark }
      appends.push(log.appendChannel(target, batch))
    },
    written: () => Promise.all(appends),
  }
}
