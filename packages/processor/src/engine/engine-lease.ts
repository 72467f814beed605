import type { Commit } from '../commit.ts'
import type { GroupPartition, GroupStore, Lease, Reached } from '../group-store.ts'

/** What a commit says, without the token and its number. */
export type CommitContent = Omit<Commit, 'token' | 'n'>

/** A commit that is in the store. `numbers` is unknown when the first answer was lost. */
export interface Committed {
  readonly n: number
  readonly numbers: readonly number[] | undefined
}

/**
 * A lease in the hand of its member. Its calls go out one at a time; a commit whose result is unknown is sent again,
 * to the last byte, before anything else.
 */
export class EngineLease {
  readonly at: GroupPartition
  readonly token: string
  readonly #store: GroupStore
  readonly #leaseMs: number
  readonly #elapsedMs: () => number
  #n: number
  #position: Reached
  #untilMs: number
  #tip: number
  #unresolved: Commit | undefined
  #committed: Committed
  #line: Promise<unknown> = Promise.resolve()

  /** @param askedAtMs When it was asked for, by `elapsedMs`: its time runs from there. */
  constructor(
    store: GroupStore,
    at: GroupPartition,
    lease: Lease,
    times: { readonly leaseMs: number; readonly askedAtMs: number; readonly elapsedMs: () => number },
  ) {
    this.#store = store
    this.at = at
    this.token = lease.token
    this.#n = lease.n
    this.#committed = { n: lease.n, numbers: [] }
    this.#position = lease.position
    this.#tip = lease.tip
    this.#leaseMs = times.leaseMs
    this.#elapsedMs = times.elapsedMs
    this.#untilMs = times.askedAtMs + times.leaseMs
  }

  /** The position that the store has, as far as is known here. */
  get position(): Reached {
    return this.#position
  }

  /** Sequence number of the partition's last event when the store was last asked. */
  get tip(): number {
    return this.#tip
  }

  /** Until when nobody else tries. */
  get lapsed(): boolean {
    return this.#elapsedMs() >= this.#untilMs
  }

  /** Makes a commit true. When it throws, its result is unknown, and only {@link repeat} says what became of it. */
  commit(content: CommitContent): Promise<Committed | 'fenced'> {
    return this.#alone(() => {
      if (this.#unresolved) throw new TypeError('Bug: a commit before the last one is known')
      this.#unresolved = { token: this.token, n: this.#n + 1, ...content }
      return this.#resolve()
    })
  }

  /** Answers what became of the last commit; sends it again when that is not known. */
  repeat(): Promise<Committed | 'fenced'> {
    return this.#alone(() => this.#resolve())
  }

  renew(): Promise<'renewed' | 'fenced'> {
    return this.#alone(async () => {
      if ((await this.#resolve()) === 'fenced') return 'fenced'
      const askedAtMs = this.#elapsedMs()
      const renewal = await this.#store.renew(this.at, { token: this.token, n: this.#n }, this.#leaseMs)
      if (renewal.status === 'fenced') return 'fenced'
      this.#untilMs = askedAtMs + this.#leaseMs
      this.#tip = renewal.tip
      return 'renewed'
    })
  }

  /** Asks whether somebody else has it, after a commit that was not sent because it contradicts itself. */
  lost(): Promise<boolean> {
    return this.#alone(async () => {
      const held = { token: this.token, n: this.#n }
      return (await this.#store.renew(this.at, held, this.#leaseMs)).status === 'fenced'
    })
  }

  release(): Promise<'released' | 'fenced'> {
    return this.#alone(() => this.#store.release(this.at, this.token))
  }

  async #resolve(): Promise<Committed | 'fenced'> {
    const commit = this.#unresolved
    if (!commit) return this.#committed
    const result = await this.#store.commit(this.at, commit)
    if (result.status === 'fenced') return 'fenced'
    this.#unresolved = undefined
    this.#n = commit.n
    this.#position = commit.position
    const numbers = result.status === 'committed' ? result.numbers : undefined
    this.#committed = { n: commit.n, numbers }
    return this.#committed
  }

  #alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(act)
    // The next in line waits for the end of this one, however it ends.
    this.#line = turn.catch(() => undefined)
    return turn
  }
}
