import { randomBytes } from 'node:crypto'
import { type Clock, MillraceError, systemClock } from '@millrace/event'
import { beginning, type EventLog } from '@millrace/log'
import type { DeadLetter } from './dead-letter.ts'
import {
  assertGroupName,
  type Commit,
  type GroupPartition,
  type GroupState,
  type GroupStore,
  type Lease,
  type Reached,
  type Renewal,
} from './group-store.ts'

/** Options of {@link createMemoryGroupStore}. */
export interface MemoryGroupStoreOptions {
  /** The log that the positions lie on. */
  readonly log: Pick<EventLog, 'tips' | 'readAt'>
  readonly clock?: Clock
}

interface Group {
  counter: number
  token: string
  member: string | undefined
  untilMs: number
  n: number
  position: Reached
  ahead: readonly number[]
  readonly dead: Map<number, string>
}

/** Makes an empty group store in memory, with the same promises as the one on Redis but durability. */
export function createMemoryGroupStore(options: MemoryGroupStoreOptions): GroupStore {
  return new InMemoryGroupStore(options)
}

// What is asked of the log is asked first: from there on each method runs without a pause, as one step.
class InMemoryGroupStore implements GroupStore {
  readonly #log: Pick<EventLog, 'tips' | 'readAt'>
  readonly #clock: Clock
  readonly #groups = new Map<string, Group>()

  constructor(options: MemoryGroupStoreOptions) {
    this.#log = options.log
    this.#clock = options.clock ?? systemClock
  }

  async acquire(at: GroupPartition, member: string, leaseMs: number): Promise<Lease | undefined> {
    const tip = await this.#tip(at)
    const group = this.#group(at)
    const now = this.#clock.now()
    if (now < group.untilMs && group.member !== member) return undefined
    group.counter += 1
    group.token = `${group.counter}-${randomBytes(8).toString('hex')}`
    group.member = member
    group.untilMs = now + leaseMs
    const { token, position, n, ahead } = group
    return { token, position, n, ahead, tip }
  }

  async renew(at: GroupPartition, lease: Pick<Lease, 'token' | 'n'>, leaseMs: number): Promise<Renewal> {
    const tip = await this.#tip(at)
    const group = this.#group(at)
    if (!holds(group, lease.token) || group.n !== lease.n) return { status: 'fenced' }
    group.untilMs = this.#clock.now() + leaseMs
    return { status: 'renewed', tip }
  }

  async commit(at: GroupPartition, commit: Commit): Promise<'committed' | 'already' | 'fenced'> {
    const fault = await this.#faultOf(at, commit.position)
    const group = this.#group(at)
    if (!holds(group, commit.token)) return 'fenced'
    if (group.n === commit.n) return 'already'
    if (group.n !== commit.n - 1) return 'fenced'
    if (commit.position.seq < group.position.seq)
      throw refused(`The group is at ${group.position.seq}; ${commit.position.seq} would be a step back`)
    if (fault) throw fault
    group.n = commit.n
    group.position = { id: commit.position.id, seq: commit.position.seq }
    group.ahead = [...commit.ahead]
    for (const letter of commit.dead) group.dead.set(letter.seq, JSON.stringify(letter))
    return 'committed'
  }

  async release(at: GroupPartition, token: string): Promise<'released' | 'fenced'> {
    const group = this.#group(at)
    if (!holds(group, token)) return 'fenced'
    group.token = ''
    group.untilMs = 0
    return 'released'
  }

  async look(at: GroupPartition): Promise<GroupState> {
    const { position, n, ahead, member, untilMs, dead } = this.#group(at)
    return { position, n, ahead, member, untilMs, deadLetters: dead.size }
  }

  async deadLetters(
    at: GroupPartition,
    options: { after?: number; limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    const { after = 0, limit = 100 } = options
    return [...this.#group(at).dead]
      .filter(([seq]) => seq > after)
      .toSorted(([a], [b]) => a - b)
      .slice(0, limit)
      .map(([, text]) => JSON.parse(text) as DeadLetter)
  }

  async #tip(at: GroupPartition): Promise<number> {
    return (await this.#log.tips(at.topic))[at.partition]?.seq ?? 0
  }

  async #faultOf(at: GroupPartition, { id, seq }: Reached): Promise<MillraceError | undefined> {
    if (seq === 0) return undefined
    const tip = await this.#tip(at)
    if (seq > tip) return refused(`The log ends at ${tip}; ${seq} is beyond it`)
    const { topic, partition } = at
    const found = await this.#log.readAt(topic, { topic: topic.name, partition, id, seq })
    return found ? undefined : refused(`The log has no event ${id}`)
  }

  #group(at: GroupPartition): Group {
    assertGroupName(at.group)
    const name = `${at.topic.name}/${at.partition}/${at.group}`
    let found = this.#groups.get(name)
    if (!found) {
      found = {
        counter: 0,
        token: '',
        member: undefined,
        untilMs: 0,
        n: 0,
        position: { id: beginning, seq: 0 },
        ahead: [],
        dead: new Map(),
      }
      this.#groups.set(name, found)
    }
    return found
  }
}

// A group whose lease was released has an empty token, which is nobody's.
function holds(group: Group, token: string): boolean {
  return token !== '' && group.token === token
}

function refused(message: string): MillraceError {
  return new MillraceError('commit.refused', message)
}
