import { between, type Random } from '../support/random.ts'
import { Child } from './child.ts'
import { keyring } from './contested-accounts.ts'
import type { RebuildOrder, RebuildWord } from './rebuild-process.ts'

/** What became of the rebuilds of a run. */
export interface MoverCounts {
  rebuilds: number
  /** Rebuilds that made the other version of the keyring the live one. */
  rotations: number
  /** Killed before their end. */
  killed: number
  readonly complaints: string[]
}

/** What a mover needs. */
export interface ClaimsMoverOptions {
  readonly redisUrl: string
  readonly random: Random
  /** Text of the swap script, for planted bugs. */
  readonly swapScript: string | undefined
  /** Tells which version of the keyring counts now. */
  liveVersion(): Promise<string | undefined>
}

/** Rebuilds the claims and rotates the keyring, each time in a process of its own that may be killed in the middle. */
export class ClaimsMover {
  readonly counts: MoverCounts = { rebuilds: 0, rotations: 0, killed: 0, complaints: [] }
  readonly #options: ClaimsMoverOptions
  /** Calls to Redis that the last one needed; the swap is among the last. */
  #usualCalls = 4
  #running: Child<RebuildOrder, RebuildWord> | undefined

  constructor(options: ClaimsMoverOptions) {
    this.#options = options
  }

  /** Moves the claims to the same version of the keyring or to the other one, and lets that die in the middle if asked to. */
  async move(to: 'same' | 'other', end: 'well' | 'killed'): Promise<void> {
    const { redisUrl, random, swapScript } = this.#options
    const live = await this.#options.liveVersion()
    const version = keyring.versions.find((one) => (one === live) === (to === 'same')) ?? ''
    const last = this.#usualCalls
    // Half of them in the swap and what stands around it.
    const dieAt = end === 'killed' ? between(random, random() < 0.5 ? 1 : last - 3, last) : undefined
    // Longer than the gate holds, where nothing but the gate and the swap script could keep the claims right.
    const restMs = swapScript === undefined ? between(random, 0, 60) : 200
    let ended = false
    const child = new Child(
      'rebuild-process.ts',
      { redisUrl, version, restMs, dieAt, swapScript },
      (word: RebuildWord) => {
        ended = true
        this.#took(word, version !== live)
        void child.kill()
      },
    )
    this.#running = child
    const how = await child.ended
    this.#running = undefined
    if (dieAt !== undefined && !ended) this.counts.killed += 1
    else if (how !== 'killed') this.counts.complaints.push(how)
  }

  async stop(): Promise<void> {
    await this.#running?.kill()
  }

  #took(word: RebuildWord, rotates: boolean): void {
    if (word.type === 'failed') {
      // Too busy a log is no fault: the next one tries again.
      if (word.code !== 'claims.behind') this.counts.complaints.push(`rebuild ${word.code}: ${word.message}`)
      return
    }
    this.#usualCalls = word.calls
    if (word.report.status !== 'swapped') this.counts.complaints.push(`rebuild ${word.report.status}`)
    else {
      this.counts.rebuilds += 1
      if (rotates) this.counts.rotations += 1
    }
  }
}
