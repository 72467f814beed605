import { type Event, newEvent, topic, type Topic } from '@millrace/event'
import type { ChannelBatch, EventLog } from '@millrace/log'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ForwarderSettings } from '@millrace/processor'
import type { GenerationStore, GroupPartition, MigratedKey, Reached } from '@millrace/processor'
import { type Act, askingOf, type Folded } from '../act.ts'
import { type SimulatedServer, watched } from '../simulated-server.ts'
import { GenerationJudge } from '../generation-judge.ts'
import { Judge } from '../judge.ts'
import type { Reading } from '../reading.ts'
import { keys } from './key-names.ts'
import { Network, type Process } from './network.ts'
import type { Seeded } from '../seeded.ts'
import { demand, type Story } from '../story.ts'
import { watchedStore } from './watched-store.ts'

const targetPartitions = 3

const anything: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'millrace-simulation', validate: (value) => ({ value }) },
}

/** A model emits under ids that say what they come from, and folds a firing as what it is due at. */
const modelReading: Reading = {
  causeOf: ({ id }) => id,
  waits: ({ firings = [] }, key, handled) => {
    const fired = firings.filter((one) => one.key === key).map(({ dueMs }) => `w${dueMs}`)
    demand(
      fired.toSorted().join() === handled.toSorted().join(),
      'guarantee 5, exactly once',
      () => `fired were ${fired.join()}, the state of ${key} folds ${handled.join()}`,
    )
  },
  namesEffects: true,
}

/** Everything that members, judge and scheduler of one simulation share. */
export class World {
  readonly random: Seeded
  readonly story: Story
  readonly network: Network
  readonly judge = new Judge(modelReading)
  /** Judges what replays build beside the live generation. */
  readonly generations = new GenerationJudge(this.judge)
  readonly server: SimulatedServer
  readonly log: EventLog
  readonly store: GenerationStore
  readonly source: Topic = topic('source', { types: { Asked: anything }, partitions: 1 })
  readonly target: Topic = topic('target', { types: { Emitted: anything }, partitions: targetPartitions })
  readonly at: GroupPartition = { topic: this.source, partition: 0, group: 'members' }
  readonly leaseMs = 1_000
  start: Reached | undefined
  /** Where everything was at the last look. */
  audited = ''
  /** No harm is done any more, and handlers succeed. */
  calm = false
  /** How often a commit was changed in which way. */
  readonly meddled = new Map<string, number>()
  /** Effects that were carried out, perhaps more than once. */
  readonly performed = new Set<string>()
  /** Keys that another system knows, with what it says of them. */
  readonly elsewhere: ReadonlyMap<string, Folded>
  /** A head that has failed so often is given up. */
  readonly mostAttempts: number
  /** There is much for operators to do: many effects, which end badly and which only they put back, states to drop. */
  readonly forOperators: boolean
  readonly #manners: { readonly atOnce: number; readonly withheld: number }
  #events = 0

  constructor(server: SimulatedServer, random: Seeded, story: Story, forOperators: boolean) {
    this.server = server
    this.random = random
    this.story = story
    this.network = new Network(random, Date.parse('2026-01-01T00:00:00Z'))
    this.mostAttempts = random.pick([2, 3, 9]) ?? 9
    this.#manners = {
      atOnce: random.pick([0, 0.6, 0.9, 0.9]) ?? 0,
      withheld: random.pick([0, 0.2, 0.7]) ?? 0,
    }
    this.forOperators = forOperators
    this.elsewhere = new Map(
      keys.flatMap((key) =>
        random.chance(0.4) ? [[key, { handled: ['taken-over'], allowed: random.chance(0.5) }]] : [],
      ),
    )
    server.setTime(this.nowMs)
    this.log = this.#watchedLog(server.log)
    this.store = watchedStore(server.store, this)
  }

  get nowMs(): number {
    return this.network.nowMs
  }

  passTime(ms: number): void {
    this.network.nowMs += ms
    this.server.setTime(this.nowMs)
  }

  takesAtOnce(): boolean {
    return this.random.chance(this.#manners.atOnce)
  }

  withholds(): boolean {
    return this.random.chance(this.#manners.withheld)
  }

  /** The journal entry of a key that is taken over with what another system says of it. */
  migrationOf(key: string, state: Folded): MigratedKey {
    const { nowMs: atMs } = this
    const asOf = { ms: atMs - 1 }
    return { key, seq: 0, id: undefined, atMs, asOf, version: 1, state: JSON.stringify(state) }
  }

  /** Looks where all events and effects are. */
  async audit(): Promise<void> {
    const audit = await this.server.store.audit(this.at)
    this.audited = JSON.stringify(audit)
    this.judge.audited(audit)
    for (const generation of this.generations.begun)
      this.generations.audited(generation, await this.server.store.audit({ ...this.at, generation }))
  }

  /** Appends an event that asks for something. */
  async append(key: string, act: Act): Promise<void> {
    this.#events += 1
    const time = new Date(this.nowMs).toISOString()
    const event: Event = newEvent(this.source, {
      type: 'Asked',
      key,
      data: act,
      id: `event-${this.#events}`,
      time,
    })
    const [result] = await this.server.log.append(this.source, [{ events: [event] }])
    if (result?.status !== 'appended') throw new TypeError('The source takes every event')
    for (const position of result.positions) this.judge.appended(askingOf({ event, position }))
    this.story.tell(`${key} gets event ${this.judge.askings.size}: ${JSON.stringify(act)}`)
  }

  /** What a forwarder in a process works with. */
  forwarding(process: Process): ForwarderSettings {
    const { log, store, target } = this
    return {
      log: {
        appendChannel: (to: Topic, batch: ChannelBatch) =>
          process.call('append', () => log.appendChannel(to, batch), 'append.unknown'),
        channel: (to, partition, channel) =>
          process.call('channel', () => log.channel(to, partition, channel), 'log.unavailable'),
      },
      store: {
        outbox: (at, options) => process.call('outbox', () => store.outbox(at, options), 'log.unavailable'),
        forwarded: (at, ids) => process.call('forwarded', () => store.forwarded(at, ids), 'commit.unknown'),
      },
      targets: new Map([[target.name, target]]),
      timers: process.timers,
      random: () => this.random.next(),
      tell: () => undefined,
      mostInMemory: 4,
    }
  }

  #watchedLog(log: EventLog): EventLog {
    return watched(log, {
      appendChannel: async (to, batch) => {
        const result = await log.appendChannel(to, batch)
        this.judge.channels.appended(batch, result)
        return result
      },
    })
  }
}
