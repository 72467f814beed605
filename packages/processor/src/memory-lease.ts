import { commitRefused } from './commit.ts'
import type { Lease } from './group-store.ts'
import type { GroupStart } from './group-partition.ts'
import type { MemoryGroup } from './memory-group.ts'
import type { Seen } from './memory-commit.ts'

/** Hands the lease of a group out, as the script on Redis does. @throws MillraceError `commit.refused` */
export function leaseInMemory(
  group: MemoryGroup,
  member: string,
  { tip, there, start, untilMs, nonce }: Seen & LeaseRequest,
): Lease {
  const began = start !== undefined && !group.begun
  if (began) {
    if (start.seq > tip) throw commitRefused('beyond', tip, start.id)
    if (!there) throw commitRefused('other', start.seq, start.id)
    group.begin(start)
  }
  group.counter += 1
  group.token = `${group.counter}-${nonce}`
  group.member = member
  group.untilMs = untilMs
  const { token, position, n, ahead } = group
  return { token, position, n, ahead, tip, withheldTo: group.start.withheldTo, began }
}

interface LeaseRequest {
  /** Where a group begins that has no record yet. */
  readonly start: GroupStart | undefined
  readonly untilMs: number
  readonly nonce: string
}
