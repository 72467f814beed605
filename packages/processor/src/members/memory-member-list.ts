import { type Clock, MillraceError, systemClock } from '@millrace/event'
import { assertGroupName } from '../group-store.ts'
import {
  type Assignment,
  type Heartbeat,
  type ListedMember,
  type MemberGroup,
  type MemberList,
  type MembersView,
  mostMembers,
  silentKeptMs,
} from './member-list.ts'

/** Options of {@link createMemoryMemberList}. */
export interface MemoryMemberListOptions {
  readonly clock?: Clock
}

interface Listed {
  readonly members: Map<string, ListedMember>
  assignment: Assignment
}

/** Makes an empty list of members in memory, for the consumers of one process. */
export function createMemoryMemberList(options: MemoryMemberListOptions = {}): MemberList {
  return new InMemoryMemberList(options.clock ?? systemClock)
}

class InMemoryMemberList implements MemberList {
  readonly #clock: Clock
  readonly #groups = new Map<string, Listed>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async heartbeat(at: MemberGroup, { member, ttlMs, declines }: Heartbeat): Promise<MembersView> {
    const { members } = this.#group(at)
    const seenMs = this.#clock.now()
    const others = [...members.values()].filter((other) => other.member !== member)
    const gone = others.filter((other) => seenMs - other.seenMs > silentKeptMs)
    if (others.length - gone.length >= mostMembers) throw new MillraceError('members.full')
    for (const other of gone) members.delete(other.member)
    const sinceMs = members.get(member)?.sinceMs ?? seenMs
    members.set(member, { member, ttlMs, declines: [...declines], sinceMs, seenMs })
    return this.look(at)
  }

  async look(at: MemberGroup): Promise<MembersView> {
    const { members, assignment } = this.#group(at)
    const inOrder = [...members.values()].toSorted((a, b) => (a.member < b.member ? -1 : 1))
    return { nowMs: this.#clock.now(), members: inOrder, assignment }
  }

  async leave(at: MemberGroup, member: string): Promise<MembersView> {
    this.#group(at).members.delete(member)
    return this.look(at)
  }

  async assign(at: MemberGroup, made: Assignment): Promise<MembersView> {
    const group = this.#group(at)
    if (group.assignment.revision === made.revision)
      group.assignment = { revision: made.revision + 1, owners: [...made.owners] }
    return this.look(at)
  }

  #group({ topic, group }: MemberGroup): Listed {
    assertGroupName(group)
    const name = `${topic.name}/${group}`
    let found = this.#groups.get(name)
    if (!found) {
      found = { members: new Map(), assignment: { revision: 0, owners: [] } }
      this.#groups.set(name, found)
    }
    return found
  }
}
