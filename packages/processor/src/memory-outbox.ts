import type { Page } from '@millrace/log'
import type { PageOptions } from './group-partition.ts'
import type { MemoryGroup } from './memory-group.ts'
import type { OutboxEntry } from './outbox.ts'

/** A page of a group's outbox. */
export function outboxInMemory(group: MemoryGroup, { after, limit = 50 }: PageOptions): Page<OutboxEntry> {
  // Entries are written in the order of their ids.
  const ids = [...group.outbox.keys()]
  const place = after === undefined ? 0 : ids.findIndex((id) => isBehind(id, after))
  const items = (place < 0 ? [] : ids.slice(place, place + limit)).flatMap((id) => group.outbox.get(id) ?? [])
  return { items, next: items.length === limit ? items.at(-1)?.id : undefined }
}

/** Removes entries that were forwarded; answers how many were there. */
export function forwardInMemory(group: MemoryGroup, ids: readonly string[]): number {
  const removed = ids.filter((id) => group.outbox.delete(id)).length
  group.outboxCounts.forwarded += removed
  return removed
}

function isBehind(id: string, after: string): boolean {
  const [n = 0, place = 0] = id.split('-').map(Number)
  const [afterN = 0, afterPlace = 0] = after.split('-').map(Number)
  return n > afterN || (n === afterN && place > afterPlace)
}
