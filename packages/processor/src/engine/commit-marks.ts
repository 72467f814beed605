import type { SettledMark } from '../story/story-fact.ts'
import type { EngineSettings } from './engine-settings.ts'

/** Commits are marked at least so often while they come, in ms. */
const everyMs = 100

/** Decides which commits are marked with their time, so that it can be told when ordinary events were settled. */
export class CommitMarks {
  readonly #settings: EngineSettings
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(settings: EngineSettings) {
    this.#settings = settings
  }

  /**
   * The mark of a commit, if it is to have one: every now and then, and where nothing more was read, as that may be the
   * last one for long.
   */
  next(caughtUp: boolean): { readonly settled: SettledMark } | undefined {
    const { clock, member } = this.#settings
    const atMs = Math.round(clock.now())
    const anyway = atMs - this.#lastMs >= everyMs
    if (!anyway && !caughtUp) return undefined
    if (anyway) this.#lastMs = atMs
    return { settled: anyway ? { atMs, member, anyway } : { atMs, member } }
  }
}
