import { setTimeout } from 'node:timers/promises'
import { CutProxy } from '../support/cut-proxy.ts'
import type { Random } from '../support/random.ts'
import { Child } from './child.ts'
import type { UniqOrder, UniqReport } from './uniq-process.ts'

/** What becomes of the connections of a fleet. */
export interface FleetOptions {
  readonly redisPort: number
  readonly random: Random
  /** Chance that a piece of a request or an answer is cut instead of handed on, between clients and Uniq. */
  readonly cutChance: number
  /** The same between Uniq and Redis, where a piece holds many requests. */
  readonly redisCutChance: number
  /** Text of the append script, for planted bugs. */
  readonly script: string | undefined
}

/** What was done to a fleet, and what it noticed. */
export interface FleetCounts {
  readonly kills: number
  readonly pauses: number
  readonly clientRequestCuts: number
  readonly clientAnswerCuts: number
  readonly redisRequestCuts: number
  readonly redisAnswerCuts: number
  readonly gatedWaits: number
}

/** Several Uniq processes, each between two proxies that cut connections: one to its clients, one to Redis. */
export class UniqFleet {
  readonly #options: FleetOptions
  readonly #members: Member[] = []
  #stopped = false

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** Resolves when so many processes take requests. */
  async start(size: number): Promise<void> {
    await Promise.all(
      Array.from({ length: size }, async () => {
        const member = await Member.open(this.#options)
        this.#members.push(member)
        await member.launch()
      }),
    )
  }

  /** Where clients reach each member, through its proxy. */
  get urls(): readonly string[] {
    return this.#members.map((member) => member.url)
  }

  /** Kills a member; resolves when it takes requests again. */
  async kill(at: number): Promise<void> {
    if (!this.#stopped) await this.#members[at]?.restart()
  }

  async pause(at: number, ms: number): Promise<void> {
    await this.#members[at]?.pause(ms)
  }

  get counts(): FleetCounts {
    const sum = (of: (member: Member) => number) =>
      this.#members.reduce((total, member) => total + of(member), 0)
    return {
      kills: sum((member) => member.kills),
      pauses: sum((member) => member.pauses),
      clientRequestCuts: sum((member) => member.toUniq.requestCuts),
      clientAnswerCuts: sum((member) => member.toUniq.cuts),
      redisRequestCuts: sum((member) => member.toRedis.requestCuts),
      redisAnswerCuts: sum((member) => member.toRedis.cuts),
      gatedWaits: sum((member) => member.gatedWaits),
    }
  }

  /** What no fault explains. */
  get complaints(): readonly string[] {
    return this.#members.flatMap((member) => member.complaints)
  }

  /** May be called again: it is the same stop. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    await Promise.all(this.#members.map((member) => member.stop()))
  }
}

class Member {
  readonly toRedis: CutProxy
  readonly toUniq: CutProxy
  readonly complaints: string[] = []
  kills = 0
  pauses = 0
  gatedWaits = 0
  readonly #script: string | undefined
  readonly #place: { port: number }
  #child: Child<UniqOrder, UniqReport> | undefined
  #launched: Promise<void> = Promise.resolve()

  private constructor(
    toRedis: CutProxy,
    toUniq: CutProxy,
    place: { port: number },
    script: string | undefined,
  ) {
    this.toRedis = toRedis
    this.toUniq = toUniq
    this.#place = place
    this.#script = script
  }

  static async open({ redisPort, cutChance, redisCutChance, random, script }: FleetOptions): Promise<Member> {
    // Each process has another port; its clients know the proxy's.
    const place = { port: 0 }
    const toRedis = await CutProxy.open(redisPort)
    const toUniq = await CutProxy.open(() => place.port)
    for (const [proxy, chance] of [
      [toRedis, redisCutChance],
      [toUniq, cutChance],
    ] as const) {
      proxy.cutWhen(() => random() < chance)
      proxy.cutRequestsWhen(() => random() < chance)
    }
    return new Member(toRedis, toUniq, place, script)
  }

  get url(): string {
    return `http://127.0.0.1:${this.toUniq.port}`
  }

  async restart(): Promise<void> {
    this.kills += 1
    await this.#child?.kill()
    await this.launch()
  }

  async pause(ms: number): Promise<void> {
    await this.#launched
    const child = this.#child
    if (!child?.running) return
    this.pauses += 1
    child.pause()
    await setTimeout(ms)
    child.goOn()
  }

  async stop(): Promise<void> {
    await this.#child?.kill()
    await Promise.all([this.toUniq.close(), this.toRedis.close()])
  }

  /** Resolves when it listens, or has been killed before that. */
  launch(): Promise<void> {
    const redisUrl = `redis://127.0.0.1:${this.toRedis.port}`
    this.#launched = new Promise((resolve) => {
      const child = new Child('uniq-process.ts', { redisUrl, script: this.#script }, (word: UniqReport) => {
        if (word.type === 'gated') this.gatedWaits += word.units
        else if (word.type === 'complaint') this.complaints.push(word.message)
        else {
          this.#place.port = word.port
          resolve()
        }
      })
      this.#child = child
      void child.ended.then((how) => {
        if (how !== 'killed') this.complaints.push(how)
        resolve()
      })
    })
    return this.#launched
  }
}
