import { partitionOfKey } from '@millrace/event'
import type { ChannelBatch } from '@millrace/log'
import { Hazards, hazardsOf, isRefused } from '../port/hazards.ts'
import { type Call, Process } from '../port/network.ts'
import { demand } from '../story.ts'
import { ChannelProducer } from './channel-producer.ts'
import type { Appending, LogHarm } from './log-server.ts'
import type { LogWorld, Request } from './log-world.ts'
import { Producer } from './producer.ts'

const stuck = 'guarantee 14, never stuck'
/** After so many appends all that can be read is read. */
const closely = 15
const mostSteps = 5_000

/** Decides what happens next to processes that append to one log, one thing at a time. */
export class LogScheduler {
  readonly #world: LogWorld
  readonly #steps: number
  readonly #hazards: Hazards
  readonly #processes: Process[] = []
  readonly #tempers: readonly number[]
  /** How often each harm was done. */
  readonly #done = new Map<LogHarm, number>()
  #failure: Error | undefined
  #working = 0
  #looks = 0

  constructor(world: LogWorld, steps: number) {
    this.#world = world
    this.#steps = steps
    this.#hazards = new Hazards(world)
    this.#tempers = Array.from({ length: 7 }, () => world.random.temper())
  }

  /** @throws Violation */
  async play(): Promise<void> {
    for (let step = 0; step < this.#steps; step++) await this.#step()
    await this.#comeToRest()
    await this.#world.look()
  }

  async #step(): Promise<void> {
    const { random, network } = this.#world
    const [lateness = 1, harmed = 1, gated = 1, ...fates] = this.#tempers
    const living = this.#processes.filter(({ alive }) => alive)
    const { sent, answered } = network
    const late = sent.filter(({ orphan, process }) => orphan || !process.alive)
    const prompt = sent.filter(({ orphan, process }) => !orphan && process.alive)
    const act = random.weighted<() => Promise<void> | void>([
      [living.length < 4 ? 2 : 0, () => this.#start()],
      [prompt.length > 0 ? 12 : 0, () => this.#carryOut(random.pick(prompt), harmed)],
      [late.length > 0 ? lateness : 0, () => this.#carryOut(random.pick(late), harmed)],
      [answered.length > 0 ? 14 : 0, () => this.#hazards.deliver(random.pick(answered))],
      ...hazardsOf(this.#hazards, this.#world, living, fates),
      [sent.length + answered.length > 0 ? 3 : 15, () => this.#passTime()],
      [0.1 * gated, () => this.#gate()],
    ])
    await act?.()
    await this.#settle()
  }

  /** From here on nothing goes wrong: whoever waits for an answer gets one. */
  async #comeToRest(): Promise<void> {
    const { network, random } = this.#world
    this.#world.calm = true
    this.#world.story.tell('from here on nothing goes wrong')
    for (const process of this.#processes) process.paused = false
    for (let step = 0; this.#working > 0 || network.sent.length > 0; step++) {
      demand(step < mostSteps, stuck, () => `${this.#working} processes wait for an answer`)
      const [call, answer] = [random.pick(network.sent), random.pick(network.answered)]
      if (answer && (!call || random.chance(0.5))) this.#hazards.deliver(answer)
      else if (call) await this.#carryOut(call, 0)
      else this.#passTime()
      await this.#settle()
    }
  }

  /** Lets everybody go on as far as he can, and hears whether somebody came upon a violation. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#failure !== undefined) throw this.#failure
    this.#working = this.#processes.filter(({ alive, name }) => alive && !this.#ended.has(name)).length
  }

  readonly #ended = new Set<string>()

  #start(): void {
    const { random, network, story } = this.#world
    const process = new Process(`p${this.#processes.length + 1}`, network)
    this.#processes.push(process)
    const counts = random.chance(0.35)
    story.tell(`${process.name} starts${counts ? ', and counts what it sends' : ''}`)
    const life = counts ? new ChannelProducer(process, this.#world) : new Producer(process, this.#world)
    life.live().then(
      () => this.#ended.add(process.name),
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new TypeError(String(error))
      },
    )
  }

  async #carryOut(call: Call | undefined, harmed: number): Promise<void> {
    if (!call) return
    const { random, network } = this.#world
    this.#world.tick()
    if (random.chance(0.3 * harmed)) await this.#harm(call)
    if (!call.outcome) await call.carryOut()
    this.#hazards.told(call)
    if (call.request.what.startsWith('append') && ++this.#looks % closely === 0) await this.#world.look()
    if (call.orphan || !call.process.alive) network.remove(call)
    else if (!call.process.paused && random.chance(0.4)) this.#hazards.deliver(call)
  }

  /** Lets a call meet a spoilt server, in one way after the other, until it is carried out in spite of it. */
  async #harm(call: Call): Promise<void> {
    const { random, server, story } = this.#world
    const appending = this.#appendingOf(call)
    if (!appending) return
    let fitting = server.harms.filter((one) => one.concerns(appending))
    for (let left = random.between(1, 6); left > 0 && !call.outcome; left--) {
      const least = Math.min(...fitting.map((one) => this.#done.get(one) ?? 0))
      const harm = random.pick(fitting.filter((one) => (this.#done.get(one) ?? 0) === least))
      if (!harm) return
      fitting = fitting.filter((one) => one !== harm)
      this.#done.set(harm, least + 1)
      story.tell(harm.name)
      await harm.during(appending, () => call.carryOut())
      if (isRefused(call) && random.chance(0.9)) call.outcome = undefined
    }
  }

  /** What a call appends to one partition; undefined for others. */
  #appendingOf({ request: { what, content } }: Call): Appending | undefined {
    const { plain } = this.#world
    if (what === 'appendChannel') {
      const { partition, events } = content as ChannelBatch
      return { topic: plain, partition, keys: events.map(({ subject }) => subject), units: undefined }
    }
    if (what !== 'append') return undefined
    const { topic, units, crowd } = content as Request
    const keys = units.flatMap(({ events }) => events.slice(0, 1).map(({ subject }) => subject))
    const [partition, ...others] = new Set(keys.map((key) => partitionOfKey(topic, key)))
    if (partition === undefined || others.length > 0 || (crowd && units.length > 1)) return undefined
    return { topic, partition, keys, units }
  }

  async #gate(): Promise<void> {
    const ms = this.#world.random.pick([0, 50, 100]) ?? 0
    this.#world.story.tell(`claims are gated for ${ms} ms`)
    await this.#world.gate(ms)
  }

  /** Somebody's time comes, or time passes: to the next alarm, or beyond what is remembered of ids. */
  #passTime(): void {
    const { random, network } = this.#world
    if (network.ring()) return
    if (random.chance(0.05)) return this.#world.passTime(random.between(1, 4_000_000))
    const next = network.nextAlarmMs
    this.#world.passTime(next === undefined ? 20 : Math.min(50, Math.max(1, next - network.nowMs)))
  }
}
