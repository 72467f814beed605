import { accounts } from '@millrace/accounts'
import { connectLog, type RedisLog } from '@millrace/redis'
import { createUniq, verifyClaims } from '@millrace/uniq'
import { between, type Random, randomOf } from '../support/random.ts'
import { startRedis } from '../support/redis.ts'
import { checkHistory, type Operation } from '../uniq/history.ts'
import { ClaimsMover } from './claims-mover.ts'
import { constraints, hotValue, keyring } from './contested-accounts.ts'
import { HonestClient } from './honest-client.ts'
import { ownersOfLog } from './owners-of-log.ts'
import { type HistoryFaults, type HistoryReport, missingFaults } from './history-report.ts'
import { type FleetCounts, UniqFleet } from './uniq-fleet.ts'

/** Texts of scripts that replace those of the product. */
export interface PlantedScripts {
  readonly append?: string
  readonly swap?: string
}

/** Options of {@link runUniqHistory}. */
export interface UniqHistoryOptions {
  /** Operations of all clients together. The run goes on until each kind of fault has happened, up to ten times as many. */
  readonly operations: number
  readonly seed: number
  /** Default 50. */
  readonly clients?: number
  /** Values that all of them want. Default 1,000. */
  readonly values?: number
  /** Operations between two faults. Default 250. */
  readonly faultEvery?: number
  /** Chance that a piece of a request or an answer between clients and Uniq is cut. Default 0.003. */
  readonly cutChance?: number
  /** The same between Uniq and Redis. Default 0.005. */
  readonly redisCutChance?: number
  /** Scripts with planted bugs. Then the run goes on until the checker has seen one, up to three times as many operations. */
  readonly planted?: PlantedScripts
  readonly onProgress?: (line: string) => void
}

const defaults = { clients: 50, values: 1_000, faultEvery: 250, cutChance: 0.003, redisCutChance: 0.005 }
const attemptMs = 1_500
const patienceMs = 20_000

const processes = 3

const moves = {
  rebuild: { to: 'same', end: 'well' },
  rotate: { to: 'other', end: 'well' },
  'broken rebuild': { to: 'same', end: 'killed' },
  'broken rotation': { to: 'other', end: 'killed' },
} as const
type Fault = 'kill' | 'pause' | keyof typeof moves
const deck: readonly Fault[] = [
  'kill',
  'rotate',
  'kill',
  'pause',
  'rebuild',
  'kill',
  'broken rebuild',
  'pause',
]

/**
 * Clients fight for the same values over HTTP against three Uniq processes on one Redis, while processes are killed
 * and paused, connections are cut on both sides of Uniq, and the claims are rebuilt and rotated, also half. What the
 * clients saw is then checked for contradictions, and the claims and the clients' own knowledge against the log.
 */
export async function runUniqHistory(options: UniqHistoryOptions): Promise<HistoryReport> {
  const started = performance.now()
  const server = await startRedis({ appendonly: true })
  const log = await connectLog({ url: server.url })
  const run = new Run({ ...defaults, ...options }, log, server.url)
  try {
    await run.start(server.port)
    await run.fight()
    return await run.judge(started)
  } finally {
    await run.stop()
    await log.close()
    await server.stop()
  }
}

class Run {
  readonly #options: UniqHistoryOptions & typeof defaults
  readonly #log: RedisLog
  readonly #random: Random
  readonly #mover: ClaimsMover
  readonly #end = new AbortController()
  readonly #inflicted: Promise<void>[] = []
  readonly #failures: string[] = []
  #fleet: UniqFleet | undefined
  #clients: readonly HonestClient[] = []
  #operations = 0
  #cards: Fault[] = []
  #moving = false
  #proven = false

  constructor(options: UniqHistoryOptions & typeof defaults, log: RedisLog, redisUrl: string) {
    this.#options = options
    this.#log = log
    this.#random = randomOf(options.seed)
    this.#mover = new ClaimsMover({
      redisUrl,
      random: randomOf(options.seed + 1),
      swapScript: options.planted?.swap,
      liveVersion: async () => (await log.claims.liveVersions(accounts))[0],
    })
  }

  async start(redisPort: number): Promise<void> {
    const { cutChance, redisCutChance, planted, seed, clients, values } = this.#options
    const random = randomOf(seed + 2)
    const fleet = new UniqFleet({ redisPort, cutChance, redisCutChance, script: planted?.append, random })
    this.#fleet = fleet
    await fleet.start(processes)
    const { urls } = fleet
    const common = { urls, values, attemptMs, patienceMs, signal: this.#end.signal }
    this.#clients = Array.from(
      { length: clients },
      (_, at) => new HonestClient({ ...common, name: `c${at}`, random: randomOf(seed + 1_000 + at) }),
    )
  }

  /** Lets the clients go, and the faults loose on them. */
  async fight(): Promise<void> {
    await Promise.all(this.#clients.map((client) => this.#drive(client)))
    // What is still being done to them comes to its end before anybody judges.
    await Promise.all(this.#inflicted)
  }

  async judge(started: number): Promise<HistoryReport> {
    await this.stop()
    const history = this.#history
    const { claims } = this.#log
    const common = { log: this.#log, topic: accounts, constraints, keyring }
    const { differences, events } = await verifyClaims({ ...common, claims })
    const results = { ok: 0, claimed: 0, failed: 0, unknown: 0 }
    for (const { result } of history) results[result] += 1
    return {
      seed: this.#options.seed,
      results,
      attempts: this.#sum('attempts'),
      settled: this.#sum('settled'),
      events,
      faults: this.#faults,
      violations: checkHistory(history),
      differences,
      disagreements: await this.#disagreements(),
      complaints: [
        ...this.#broken,
        ...this.#mover.counts.complaints,
        ...this.#clients.flatMap(({ sightings }) => sightings.contradictions),
      ],
      seconds: (performance.now() - started) / 1_000,
    }
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#mover.stop()
    await this.#fleet?.stop()
  }

  async #drive(client: HonestClient): Promise<void> {
    while (!this.#enough) {
      await client.step()
      this.#operations += 1
      if (this.#operations % this.#options.faultEvery === 0)
        this.#inflicted.push(
          this.#inflict().catch((error: unknown) => void this.#failures.push(String(error))),
        )
      if (this.#operations % 5_000 === 0)
        this.#options.onProgress?.(`${this.#operations} operations, ${JSON.stringify(this.#faults)}`)
    }
  }

  get #enough(): boolean {
    const { operations, planted } = this.#options
    if (this.#broken.length > 0) return true
    if (this.#operations < operations) return false
    // Looked at now and then: a look goes through all that was seen.
    if (!this.#proven && this.#operations % 100 === 0) this.#proven = this.#isProven()
    return this.#proven || this.#operations >= (planted === undefined ? 10 : 3) * operations
  }

  /** Every kind of fault has happened; of a planted bug: it has been seen. */
  #isProven(): boolean {
    return this.#options.planted === undefined
      ? missingFaults(this.#faults).length === 0
      : checkHistory(this.#history).length > 0
  }

  async #inflict(): Promise<void> {
    if (this.#cards.length === 0) this.#cards = [...deck]
    // One rebuild at a time: the others stay in the hand meanwhile.
    const playable = this.#cards.filter((card) => !(this.#moving && card in moves))
    const card = playable[between(this.#random, 0, playable.length - 1)]
    if (card === undefined) return
    this.#cards.splice(this.#cards.indexOf(card), 1)
    const victim = between(this.#random, 0, processes - 1)
    if (card === 'kill') await this.#fleet?.kill(victim)
    else if (card === 'pause') await this.#fleet?.pause(victim, between(this.#random, 100, 2_500))
    else {
      this.#moving = true
      const { to, end } = moves[card]
      await this.#mover.move(to, end)
      this.#moving = false
    }
  }

  get #history(): readonly Operation[] {
    return this.#clients.flatMap(({ sightings }) => sightings.history)
  }

  get #faults(): HistoryFaults {
    const fleet = this.#fleet?.counts ?? noCounts
    const { rebuilds, rotations, killed } = this.#mover.counts
    const [unknowns, duplicates] = [this.#sum('unknowns'), this.#sum('duplicates')]
    return { ...fleet, unknowns, duplicates, rebuilds, rotations, killedRebuilds: killed }
  }

  /** What leaves nothing to go on with. */
  get #broken(): readonly string[] {
    return [...(this.#fleet?.complaints ?? []), ...this.#failures]
  }

  #sum(what: 'attempts' | 'unknowns' | 'duplicates' | 'settled'): number {
    return this.#clients.reduce((total, { sightings }) => total + sightings[what], 0)
  }

  /** Where the log says something else than the clients know, the claims, or itself. */
  async #disagreements(): Promise<readonly string[]> {
    const { held, twice } = await ownersOfLog(this.#log)
    const found = [...twice]
    for (const { known } of this.#clients)
      for (const [account, value] of known)
        if (held.get(account) !== value)
          found.push(`${account} holds ${value} for its client and ${held.get(account)} by the log`)
    const owners = new Map([...held].map(([account, value]) => [value, account]))
    const uniq = createUniq({ log: this.#log, topic: accounts, constraints, keyring })
    for (let n = 0; n < this.#options.values; n++) {
      const owner = await uniq.ownerOf('email', [hotValue(n)])
      if (owner !== owners.get(hotValue(n)))
        found.push(
          `${hotValue(n)} belongs to ${owner} by the claims and to ${owners.get(hotValue(n))} by the log`,
        )
    }
    return found
  }
}

const noCounts: FleetCounts = {
  kills: 0,
  pauses: 0,
  clientRequestCuts: 0,
  clientAnswerCuts: 0,
  redisRequestCuts: 0,
  redisAnswerCuts: 0,
  gatedWaits: 0,
}
