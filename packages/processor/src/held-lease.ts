import type { Commit } from './commit.ts'
import type { GroupPartition, GroupStore, Lease, Reached } from './group-store.ts'

/** What a commit says, without the token and its number. */
export type CommitContent = Pick<Commit, 'position' | 'ahead' | 'dead'>

/**
 * A lease in the hand of its member. Its calls go out one at a time; a commit whose result is unknown is sent again,
 * to the last byte, before anything else.
 */
export class HeldLease {
  readonly #store: GroupStore
  readonly #at: GroupPartition
  readonly #token: string
  readonly #leaseMs: number
  readonly #elapsedMs: () => number
  #n: number
  #position: Reached
  #untilMs: number
  #tip: number
  #unresolved: Commit | undefined
  #line: Promise<unknown> = Promise.resolve()

  /** @param askedAtMs When it was asked for, by `elapsedMs`: its time runs from there. */
  constructor(
    store: GroupStore,
    at: GroupPartition,
    lease: Lease,
    times: { readonly leaseMs: number; readonly askedAtMs: number; readonly elapsedMs: () => number },
  ) {
    this.#store = store
    this.#at = at
    this.#token = lease.token
    this.#n = lease.n
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

  /** Until when nobody else tries, by `elapsedMs`. */
  get untilMs(): number {
    return this.#untilMs
  }

  commit(content: CommitContent): Promise<'committed' | 'fenced'> {
    return this.#alone(async () => {
      if ((await this.#resolve()) === 'fenced') return 'fenced'
      this.#unresolved = { token: this.#token, n: this.#n + 1, ...content }
      return this.#resolve()
    })
  }

  renew(): Promise<'renewed' | 'fenced'> {
    return this.#alone(async () => {
      if ((await this.#resolve()) === 'fenced') return 'fenced'
      const askedAtMs = this.#elapsedMs()
      const renewal = await this.#store.renew(this.#at, { token: this.#token, n: this.#n }, this.#leaseMs)
      if (renewal.status === 'fenced') return 'fenced'
      this.#untilMs = askedAtMs + this.#leaseMs
      this.#tip = renewal.tip
      return 'renewed'
    })
  }

  release(): Promise<'released' | 'fenced'> {
    return this.#alone(() => this.#store.release(this.#at, this.#token))
  }

  async #resolve(): Promise<'committed' | 'fenced'> {
    const commit = this.#unresolved
    if (!commit) return 'committed'
    const { status } = await this.#store.commit(this.#at, commit)
    if (status === 'fenced') return 'fenced'
    this.#unresolved = undefined
    this.#n = commit.n
    this.#position = commit.position
    return 'committed'
  }

  #alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(act)
    // The next in line waits for the end of this one, however it ends.
    this.#line = turn.catch(() => undefined)
    return turn
  }
}
