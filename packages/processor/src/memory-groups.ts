import type { Clock } from '@millrace/event'
import { assertGroupName, type GroupPartition } from './group-partition.ts'
import { MemoryGroup } from './memory-group.ts'

/** Groups in memory, by their place; made when they are asked for, gone when they were ephemeral and their time is over. */
export class MemoryGroups {
  readonly #clock: Clock
  readonly #withheldKept: number
  readonly #groups = new Map<string, MemoryGroup>()

  constructor(clock: Clock, withheldKept = 10_000) {
    this.#clock = clock
    this.#withheldKept = withheldKept
  }

  of(at: GroupPartition): MemoryGroup {
    assertGroupName(at.group)
    const name = nameOf(at)
    let found = this.#groups.get(name)
    const now = this.#clock.now()
    if (!found || found.expiresAtMs <= now)
      this.#groups.set(name, (found = new MemoryGroup(this.#withheldKept)))
    if (at.expireMs !== undefined) found.expiresAtMs = now + at.expireMs
    return found
  }

  remove(at: GroupPartition): void {
    this.#groups.delete(nameOf(at))
  }
}

function nameOf({ topic, partition, group, generation = 0 }: GroupPartition): string {
  return `${topic.name}/${partition}/${group}/${generation}`
}
