import { MillraceError } from '@millrace/event'
import type { Commit, CommitResult } from '../../commit.ts'
import type { GroupPartition, GroupStore } from '../../group-store.ts'

/** A call of the store; the commit when it is one. */
export interface StoreCall {
  readonly name: string
  readonly commit?: Commit
}

/** One member's way to the store, which a test can cut, hold up, or rob of its answers. It notes what commits came to. */
export class StoreFaults {
  /** Results of all commits, in the order in which they came back from the store. */
  readonly commits: { readonly commit: Commit; readonly status: CommitResult['status'] }[] = []
  /** Answers of `confirmEffects`, by how many were refused for their token. */
  fencedConfirmations = 0
  /** How many calls of each name were answered. */
  readonly answered = new Map<string, number>()
  readonly store: GroupStore
  readonly #news: () => void
  #held: { promise: Promise<void>; resolve: () => void } | undefined
  #cut = false
  #deadly: { when: 'before' | 'after'; fits: (call: StoreCall) => boolean } | undefined
  #answersToLose = 0

  /** @param news Called after each call. */
  constructor(inner: GroupStore, news: () => void) {
    this.#news = news
    this.store = new Proxy(inner, {
      get: (target, name) => {
        if (name === 'commit')
          return (at: GroupPartition, commit: Commit) =>
            this.#through({ name, commit }, () => this.#commit(target, at, commit))
        const found: unknown = Reflect.get(target, name)
        if (typeof found !== 'function') return found
        return (...args: readonly unknown[]) =>
          this.#through({ name: String(name) }, async () => {
            const answer: unknown = await Reflect.apply(found, target, args)
            if (name === 'confirmEffects' && answer === 'fenced') this.fencedConfirmations += 1
            return answer
          })
      },
    })
  }

  /** As if the process slept: calls go nowhere until `resume`. */
  pause(): void {
    this.#held ??= Promise.withResolvers<void>()
  }

  resume(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  /** As if the process had been killed: nothing gets through any more. */
  cut(): void {
    this.#cut = true
  }

  /** As if the process had been killed at this point: before a call, or after it and before its answer. */
  cutAt(when: 'before' | 'after', fits: (call: StoreCall) => boolean): void {
    this.#deadly = { when, fits }
  }

  get isCut(): boolean {
    return this.#cut
  }

  /** At the end of a test: what was cut off finds out that it was, instead of trying for long. */
  end(): void {
    this.resume()
    this.#cut = false
    this.#deadly = undefined
  }

  /** The next commits take place, and their answers are lost. */
  loseAnswers(count: number): void {
    this.#answersToLose = count
  }

  async #commit(target: GroupStore, at: GroupPartition, commit: Commit): Promise<CommitResult> {
    const result = await target.commit(at, commit)
    this.commits.push({ commit, status: result.status })
    if (this.#answersToLose > 0) {
      this.#answersToLose -= 1
      throw new MillraceError('commit.unknown')
    }
    return result
  }

  async #through<T>(call: StoreCall, act: () => Promise<T>): Promise<T> {
    await this.#held?.promise
    const deadly = this.#deadly?.fits(call) ? this.#deadly.when : undefined
    if (deadly === 'before') this.#cut = true
    if (this.#cut) throw new MillraceError('log.unavailable')
    try {
      const answer = await act()
      this.answered.set(call.name, (this.answered.get(call.name) ?? 0) + 1)
      if (deadly === 'after') {
        this.#cut = true
        throw new MillraceError('log.unavailable')
      }
      return answer
    } finally {
      this.#news()
    }
  }
}
