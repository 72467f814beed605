import type { Topic } from '@millrace/event'
import { beginning, type EventLog, type Position } from '@millrace/log'
import { testTopic, unit } from '@millrace/log/contract'
import type { Commit, CommitResult } from '../commit.ts'
import type { GroupPartition, GroupStore } from '../group-store.ts'

/** A group store that appends at once what it may, to put through the suite, with the log that its positions lie on. */
export interface GroupStoreUnderTest {
  readonly log: EventLog
  readonly store: GroupStore
  /** Turns its clock. */
  advance(ms: number): void
  close(): Promise<void>
}

/** A group of its own on a partition, whose lease one member holds. */
export class LeasedGroup {
  readonly subject: GroupStoreUnderTest
  readonly store: GroupStore
  readonly topic: Topic = testTopic({ partitions: 1 })
  readonly at: GroupPartition = { topic: this.topic, partition: 0, group: 'readers' }
  readonly positions: Position[] = []
  token = ''
  n = 0

  private constructor(subject: GroupStoreUnderTest) {
    this.subject = subject
    this.store = subject.store
  }

  /** Appends an event for each key and takes the lease. */
  static async open(subject: GroupStoreUnderTest, ...keys: readonly string[]): Promise<LeasedGroup> {
    const group = new LeasedGroup(subject)
    await group.append(...keys)
    await group.take()
    return group
  }

  async append(...keys: readonly string[]): Promise<void> {
    const units = keys.map((key) => unit(this.topic, key))
    for (const result of await this.subject.log.append(this.topic, units))
      if (result.status === 'appended') this.positions.push(...result.positions)
  }

  /** A new token, which fences the one before. */
  async take(member = 'one'): Promise<void> {
    const lease = await this.store.acquire(this.at, member, 10_000)
    if (!lease) throw new Error(`${member} did not get the lease`)
    this.token = lease.token
    this.n = lease.n
  }

  /** The next commit: up to an event, with further parts. */
  next(seq: number, parts: Partial<Commit> = {}): Commit {
    const { id } = this.positions[seq - 1] ?? { id: beginning }
    return { token: this.token, n: this.n + 1, position: { id, seq }, ahead: [], dead: [], ...parts }
  }

  async commit(seq: number, parts: Partial<Commit> = {}): Promise<CommitResult> {
    const result = await this.store.commit(this.at, this.next(seq, parts))
    if (result.status === 'committed') this.n += 1
    return result
  }

  /** All that can be read of the group. */
  async everything(keys: readonly string[] = []) {
    const { store, at } = this
    const { position, n, ahead } = await store.look(at)
    return {
      look: { position, n, ahead },
      keys: await store.loadStates(at, keys),
      parked: (await store.parked(at)).items,
      deferred: (await store.deferredKeys(at)).items,
      dead: await store.deadLetters(at),
      timers: await store.dueTimers(at, Number.MAX_SAFE_INTEGER),
      firings: (await store.firings(at)).items,
      outbox: (await store.outbox(at)).items,
      effects: (await store.pendingEffects(at)).items,
      audit: await store.audit(at),
    }
  }
}
