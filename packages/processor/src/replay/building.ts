import type { Reached } from '../group-partition.ts'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import type { CommitContent } from '../engine/engine-lease.ts'
import { MillraceError } from '@millrace/event'
import type { Building } from './generations.ts'

/** What one commit of a replay says beside the position. */
export type ReplayContent = Pick<CommitContent, 'states' | 'defers' | 'timers' | 'firings'>

const unknownAttempts = 5

/** A building generation in the hand of its replay: its lease, its position, and its commits, one after the other. */
export class BuildingLease {
  readonly at: GroupPartition & { readonly generation: number }
  readonly #store: GroupStore
  readonly #member: string
  readonly #leaseMs: number
  readonly #elapsedMs: () => number
  #token = ''
  #n = 0
  #renewAtMs = 0
  position: Reached = { id: '0-0', seq: 0 }
  ahead: readonly number[] = []

  constructor(
    store: GroupStore,
    at: GroupPartition & { readonly generation: number },
    given: { readonly member: string; readonly leaseMs: number; readonly elapsedMs: () => number },
  ) {
    this.#store = store
    this.at = at
    this.#member = given.member
    this.#leaseMs = given.leaseMs
    this.#elapsedMs = given.elapsedMs
  }

  get building(): Building {
    return { generation: this.at.generation, token: this.#token, n: this.#n }
  }

  /** Takes the lease, beginning at `start` where nothing was built yet; false: another replay has it. */
  async acquire(start: Reached): Promise<boolean> {
    const lease = await this.#store.acquire(this.at, this.#member, this.#leaseMs, start)
    if (lease === undefined) return false
    this.#token = lease.token
    this.#n = lease.n
    this.position = lease.position
    this.ahead = lease.ahead
    this.#renewAtMs = this.#elapsedMs() + this.#leaseMs / 3
    return true
  }

  /** Renews when a third of the lease is over. */
  async keep(): Promise<void> {
    if (this.#elapsedMs() < this.#renewAtMs) return
    const { status } = await this.#store.renew(this.at, { token: this.#token, n: this.#n }, this.#leaseMs)
    if (status === 'fenced') throw fenced()
    this.#renewAtMs = this.#elapsedMs() + this.#leaseMs / 3
  }

  /**
   * Makes it true that everything up to there is folded. Sent again, to the last byte, while its result is unknown.
   * A replay commits states, timers and lists, and nothing that could go out.
   */
  async commit(content: ReplayContent, position = this.position, ahead = this.ahead): Promise<void> {
    const { states, defers, timers, firings } = content
    const commit = {
      ...{ token: this.#token, n: this.#n + 1, position, ahead, dead: [] },
      ...(states && states.length > 0 ? { states } : {}),
      ...(defers && defers.length > 0 ? { defers } : {}),
      ...(timers && timers.length > 0 ? { timers } : {}),
      ...(firings && firings.length > 0 ? { firings } : {}),
    }
    for (let attempt = 1; ; attempt++) {
      try {
        const { status } = await this.#store.commit(this.at, commit)
        if (status === 'fenced') throw fenced()
        break
      } catch (error) {
        const unknown = error instanceof MillraceError && error.code === 'commit.unknown'
        if (!unknown || attempt >= unknownAttempts) throw error
      }
    }
    this.#n += 1
    this.position = position
    this.ahead = ahead
  }

  async release(): Promise<void> {
    await this.#store.release(this.at, this.#token)
  }
}

function fenced(): MillraceError {
  return new MillraceError('replay.held', 'The lease of the generation was taken over')
}
