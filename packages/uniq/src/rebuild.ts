import { MillraceError, type Topic } from '@millrace/event'
import { beginning, type ClaimStore, type Contested, type EventLog, seqOf } from '@millrace/log'
import { HoldingFold, type Undigested } from './claims-of-log.ts'
import type { Constraints } from './constraints.ts'
import type { Keyring } from './keyring.ts'

/** Options of {@link rebuildClaims}. */
export interface RebuildOptions {
  readonly log: Pick<EventLog, 'read' | 'tips'>
  readonly claims: ClaimStore
  readonly topic: Topic
  readonly constraints: Constraints
  /** The keys that the claims have afterwards: another one than the live one is a rotation. */
  readonly keyring: Keyring
  /** Refuse claim changes from the start (503) instead of only for the swap: for claims that are lost or wrong. */
  readonly closed?: boolean
  readonly onProgress?: (progress: RebuildProgress) => void
  readonly signal?: AbortSignal
}

/** How far a rebuild is. */
export interface RebuildProgress {
  readonly read: number
  readonly total: number
}

/** How a rebuild ended. */
export interface RebuildReport {
  readonly status: 'swapped' | 'contested' | 'stopped'
  readonly events: number
  readonly contested: readonly Contested[]
  readonly undigested: readonly Undigested[]
  /** How often the gate had to be closed before the swap went through. */
  readonly gates: number
}

const pageEvents = 1_000
/** How long claim changes may be refused for one attempt to swap, in ms. */
export const gateMs = 100
const closedGateMs = 30_000
const mostGates = 200

/**
 * Makes the claims anew from the log, beside the live ones, follows the log, and swaps them in: claim changes
 * are refused for at most {@link gateMs} at a time. Can be stopped and started again; it goes on where it was.
 *
 * @throws MillraceError `claims.behind` when the log is written faster than it can be followed
 */
export async function rebuildClaims(options: RebuildOptions): Promise<RebuildReport> {
  const run = new Rebuild(options)
  return run.run()
}

class Rebuild {
  readonly #options: RebuildOptions
  readonly #read = new Map<number, string>()
  readonly #undigested: Undigested[] = []
  #events = 0
  #gates = 0

  constructor(options: RebuildOptions) {
    this.#options = options
  }

  async run(): Promise<RebuildReport> {
    const { claims, topic, keyring } = this.#options
    const state = await claims.beginRebuild(topic, keyring.versions)
    for (const [partition, id] of state.read) this.#read.set(partition, id)
    try {
      if (!(await this.#catchUp())) return this.#report('stopped')
      return await this.#swap()
    } finally {
      await claims.gate(topic, 0)
    }
  }

  /** Reads until nothing is left; false when stopped. */
  async #catchUp(): Promise<boolean> {
    const { log, topic, claims, closed, signal } = this.#options
    for (;;) {
      if (signal?.aborted) return false
      if (closed) await claims.gate(topic, closedGateMs)
      const news = await log.read(topic, this.#read, { limit: pageEvents })
      if (news.size === 0) return true
      for (const [partition, events] of news) {
        const fold = new HoldingFold(topic, this.#options.constraints, this.#options.keyring)
        for (const recorded of events) fold.add(recorded)
        const from = this.#read.get(partition) ?? beginning
        const to = events.at(-1)?.position.id ?? from
        const result = await claims.stepRebuild(topic, {
          partition,
          from,
          to,
          entries: [...fold.holdings.values()],
        })
        if (result === 'stale') throw new MillraceError('claims.busy')
        this.#read.set(partition, to)
        this.#events += events.length
        this.#undigested.push(...fold.undigested.slice(0, 100 - this.#undigested.length))
      }
      await this.#progress()
    }
  }

  async #swap(): Promise<RebuildReport> {
    const { claims, topic, closed, signal } = this.#options
    while (this.#gates < mostGates) {
      if (signal?.aborted) return this.#report('stopped')
      this.#gates += 1
      // Behind the gate no claim changes, so what is left to read has an end.
      await claims.gate(topic, closed ? closedGateMs : gateMs)
      if (!(await this.#catchUp())) return this.#report('stopped')
      const result = await claims.swapRebuild(topic)
      if (result.status === 'swapped') return this.#report('swapped')
      if (result.status === 'contested') return this.#report('contested', result.contested)
      if (result.status === 'none') throw new MillraceError('claims.busy')
      await claims.gate(topic, 0)
      if (!(await this.#catchUp())) return this.#report('stopped')
    }
    throw new MillraceError('claims.behind')
  }

  async #progress(): Promise<void> {
    const { onProgress, log, topic } = this.#options
    if (!onProgress) return
    const tips = await log.tips(topic)
    const read = [...this.#read.values()].reduce((sum, id) => sum + seqOf(id), 0)
    onProgress({
      read,
      total: Math.max(
        read,
        tips.reduce((sum, tip) => sum + tip.seq, 0),
      ),
    })
  }

  #report(status: RebuildReport['status'], contested: readonly Contested[] = []): RebuildReport {
    return { status, events: this.#events, contested, undigested: this.#undigested, gates: this.#gates }
  }
}
