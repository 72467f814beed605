import { MillraceError } from '@millrace/event'
import type { Commit, CommitResult } from '../../commit.ts'
import type { GroupPartition, GroupStore } from '../../group-store.ts'

/** One member's way to the store, which a test can cut, hold up, or rob of its answers. It notes what commits came to. */
export class StoreFaults {
  /** Results of all commits, in the order in which they came back from the store. */
  readonly commits: { readonly commit: Commit; readonly status: CommitResult['status'] }[] = []
  /** Answers of `confirmEffects`, by how many were refused for their token. */
  fencedConfirmations = 0
  readonly store: GroupStore
  readonly #news: () => void
  #held: { promise: Promise<void>; resolve: () => void } | undefined
  #cut = false
  #answersToLose = 0

  /** @param news Called after each call. */
  constructor(inner: GroupStore, news: () => void) {
    this.#news = news
    this.store = new Proxy(inner, {
      get: (target, name) => {
        if (name === 'commit')
          return (at: GroupPartition, commit: Commit) => this.#through(() => this.#commit(target, at, commit))
        const found: unknown = Reflect.get(target, name)
        if (typeof found !== 'function') return found
        return (...args: readonly unknown[]) =>
          this.#through(async () => {
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

  async #through<T>(act: () => Promise<T>): Promise<T> {
    await this.#held?.promise
    if (this.#cut) throw new MillraceError('log.unavailable')
    try {
      return await act()
    } finally {
      this.#news()
    }
  }
}
