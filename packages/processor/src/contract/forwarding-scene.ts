import type { Topic } from '@millrace/event'
import { beginning, type EventLog } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import { Forwarder } from '../forwarder.ts'
import type { Outbox } from '../outbox.ts'
import { type GroupStoreUnderTest, LeasedGroup } from './group-fixture.ts'
import { emitted } from './parts.ts'

/** What a forwarder needs of the log. */
export type ForwardingLog = Pick<EventLog, 'appendChannel' | 'channel'>

/** A group that emits to a topic of its own, and what has arrived there. */
export class ForwardingScene {
  readonly group: LeasedGroup
  readonly target: Topic = testTopic({ partitions: 2 })
  readonly failures: unknown[] = []
  readonly #forwarders: Forwarder[] = []
  #number = 0

  private constructor(group: LeasedGroup) {
    this.group = group
  }

  static async open(subject: GroupStoreUnderTest): Promise<ForwardingScene> {
    return new ForwardingScene(await LeasedGroup.open(subject, 'a'))
  }

  get log(): EventLog {
    return this.group.subject.log
  }

  forwarder(through: { log?: ForwardingLog; store?: Outbox; mostInMemory?: number } = {}): Forwarder {
    const { log = this.log, store = this.group.store, ...bounds } = through
    const settings = {
      log,
      store,
      targets: new Map([[this.target.name, this.target]]),
      taking: new Set<string>(),
      // Pauses take no time: what they wait for is for the test to bring about.
      timers: {
        set: (_: number, act: () => void) => {
          const immediate = setImmediate(act)
          return () => clearImmediate(immediate)
        },
      },
      random: () => 0.5,
      tell: () => undefined,
      ...bounds,
    }
    const owner = { moved: () => undefined, failed: (error: unknown) => void this.failures.push(error) }
    const forwarder = new Forwarder(settings, this.group.at, owner)
    this.#forwarders.push(forwarder)
    return forwarder
  }

  /** Commits an event for each of four keys, and hands them to a forwarder. */
  async commit(forwarder?: Forwarder, topic = this.target): Promise<void> {
    const drafts = emitted(['a', 'b', 'c', 'd'], this.#number + 1, topic)
    this.#number += 4
    const result = await this.group.commit(0, { outbox: drafts })
    if (result.status !== 'committed') throw new Error(result.status)
    forwarder?.add(this.group.n, drafts, result.numbers)
  }

  /** The numbers that the target has of each key, in order. */
  async arrived(): Promise<Readonly<Record<string, readonly number[]>>> {
    const byKey: Record<string, number[]> = {}
    for (let partition = 0; partition < this.target.partitions; partition++) {
      const cursor = new Map([[partition, beginning]])
      const read = await this.log.read(this.target, cursor, { limit: 10_000 })
      for (const { event } of read.get(partition) ?? [])
        (byKey[event.subject] ??= []).push((event.data as { number: number }).number)
    }
    return byKey
  }

  /** What the target has when everything has arrived once, in order. */
  expected(): Readonly<Record<string, readonly number[]>> {
    const of = (offset: number) => Array.from({ length: this.#number / 4 }, (_, at) => at * 4 + offset)
    return { a: of(1), b: of(2), c: of(3), d: of(4) }
  }

  async outbox(): Promise<number> {
    return (await this.group.store.outbox(this.group.at)).items.length
  }

  end(): void {
    for (const forwarder of this.#forwarders) forwarder.end()
  }
}
