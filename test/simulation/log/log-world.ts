import { newEvent, topic, type Event, type Topic } from '@millrace/event'
import type { AppendUnit, ChannelBatch, MemoryLog } from '@millrace/log'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { Network, type Process } from '../port/network.ts'
import type { Seeded } from '../seeded.ts'
import { watched } from '../simulated-server.ts'
import type { Story } from '../story.ts'
import { AppendJudge } from './append-judge.ts'
import { BatchJudge } from './batch-judge.ts'
import { HeldLog } from './held-log.ts'
import type { LogServer } from './log-server.ts'

const anything: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'millrace-simulation', validate: (value) => ({ value }) },
}

export const keys = ['a', 'b', 'cc', 'dd', 'e'] as const
export const constraints = ['email', 'name'] as const
export const values = ['u', 'v', 'w', 'x', 'y', 'z', 'uu', 'vv', 'ww', 'xx'] as const
export const channels = ['feed', 'line'] as const

/** What one process has sent, so that it, or another one, can send it again. */
export interface Request {
  readonly topic: Topic
  readonly units: readonly AppendUnit[]
  /** Each unit by an append of its own, all at the same moment: what many clients do. */
  readonly crowd: boolean
}

/** Everything that producers, judges and scheduler of one simulation share. */
export class LogWorld {
  readonly random: Seeded
  readonly story: Story
  readonly network: Network
  readonly server: LogServer
  readonly log: MemoryLog
  /** Takes everything but claims. */
  readonly plain: Topic = topic('plain', { types: { Happened: anything }, partitions: 2 })
  readonly unique: Topic = topic('unique', {
    ...{ types: { Happened: anything }, partitions: 3, placement: 'together' },
  })
  readonly held = new HeldLog()
  readonly plainJudge = new AppendJudge(this.held)
  readonly uniqueJudge = new AppendJudge(this.held)
  readonly batches = new BatchJudge(this.held)
  /** How often what came to which end. */
  readonly ends = new Map<string, number>()
  /** Versions of the keyring that most claims are given under. */
  readonly versions: readonly string[]
  /** Requests of all, the latest last. */
  readonly sent: Request[] = []
  /** No harm is done any more, and nothing new is begun. */
  calm = false
  /** How far clocks go back at most, in ms. */
  readonly #back: number
  /** What the server's clock says. */
  #clockMs: number
  #events = 0
  #keys = 0
  #tokens = 0

  constructor(server: LogServer, random: Seeded, story: Story) {
    this.server = server
    this.random = random
    this.story = story
    this.network = new Network(random, Date.parse('2026-01-01T00:00:00Z'))
    this.versions = random.pick([['1'], ['1'], ['1', '2']]) ?? ['1']
    this.#back = random.pick([0, 0, 500, 10_000]) ?? 0
    this.log = this.#watched(server.log)
    this.#clockMs = this.network.nowMs
    server.setTime(this.#clockMs)
  }

  get nowMs(): number {
    return this.network.nowMs
  }

  passTime(ms: number): void {
    this.network.nowMs += ms
  }

  newEvent(of: Topic, key: string): Event {
    this.#events += 1
    const time = new Date(this.nowMs).toISOString()
    return newEvent(of, { type: 'Happened', key, data: {}, id: `e${this.#events}`, time })
  }

  /** A key that nobody has used. */
  newKey(): string {
    this.#keys += 1
    return `new-${this.#keys}`
  }

  /** Counters grow in the world's order; who takes one may be slow to use it. */
  nextToken(process: Process): string {
    this.#tokens += 1
    return `${this.#tokens}-${process.name}`
  }

  judgeOf(of: Topic): AppendJudge {
    return of === this.unique ? this.uniqueJudge : this.plainJudge
  }

  count(end: string): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
  }

  /** All that can be read is what was appended. @throws Violation */
  async look(): Promise<void> {
    const { log } = this.server
    for (const one of [this.plain, this.unique]) await this.held.read(log, one, keys)
    await this.uniqueJudge.claims.read(log, this.unique, constraints, values)
    await this.batches.read(log, this.plain, channels)
  }

  #watched(log: MemoryLog): MemoryLog {
    return watched(log, {
      append: async (of, units) => {
        const results = await log.append(of, units)
        this.judgeOf(of).answered(of, units, results, this.#clockMs)
        for (const one of results) this.count(one.status === 'refused' ? one.error.code : one.status)
        return results
      },
      appendChannel: async (of, batch: ChannelBatch) => {
        const result = await log.appendChannel(of, batch)
        this.count(`batch ${this.batches.answered(of, batch, result)}`)
        return result
      },
      fence: async (of, partition, fence) => {
        const result = await log.fence(of, partition, fence)
        this.batches.fenced(partition, fence, result)
        return result
      },
    })
  }

  /** Refuses claim changes for a while, as a rebuild does. */
  async gate(ms: number): Promise<void> {
    this.#setTime(this.nowMs)
    await this.server.log.claims.gate(this.unique, ms)
    this.uniqueJudge.claims.gatedUntilMs = ms > 0 ? this.nowMs + ms : 0
  }

  /** Sets the server's clock for a call: seldom it goes back. */
  tick(): void {
    const { random, nowMs } = this
    const back = this.#back > 0 && random.chance(0.2) ? random.between(1, this.#back) : 0
    this.#setTime(nowMs - back)
  }

  #setTime(ms: number): void {
    this.#clockMs = ms
    this.server.setTime(ms)
  }
}
