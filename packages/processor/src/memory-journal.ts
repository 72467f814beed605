import type { Page } from '@millrace/log'
import type { PageOptions } from './group-partition.ts'
import type { JournalledFiring } from './key-timer.ts'
import type { MemoryGroup } from './memory-group.ts'

/** A page of the journal of firings. */
export function firingsInMemory(
  group: MemoryGroup,
  { after, limit = 100, fromSeq = 0 }: PageOptions & { readonly fromSeq?: number },
): Page<JournalledFiring> {
  const [afterSeq = -1, afterNo = 0] = after?.split(' ').map(Number) ?? []
  const found = group.journal
    .filter((firing) => firing.afterSeq >= fromSeq)
    .filter((firing) => firing.afterSeq > afterSeq || (firing.afterSeq === afterSeq && firing.no > afterNo))
    .toSorted((a, b) => a.afterSeq - b.afterSeq || a.no - b.no)
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: items.length === limit && last ? `${last.afterSeq} ${last.no}` : undefined }
}
