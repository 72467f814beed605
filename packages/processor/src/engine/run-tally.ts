import type { Lengths } from '../commit-figures.ts'
import { consumerHeard } from '../consumer-event.ts'
import type { EngineSettings } from './engine-settings.ts'

/** Most lengths that are kept until the next commit; what comes then counts as the last of them. */
const mostLengths = 1_000

/** What a run counts between commits, for all its partitions: plain adds. */
export class RunTally {
  hits = 0
  misses = 0
  #handled: { ms: number; count: number }[] = []

  /** Events were with the handler for so long, each. */
  handled(ms: number, count: number): void {
    if (!consumerHeard() || count === 0) return
    const last = this.#handled.length < mostLengths ? undefined : this.#handled.at(-1)
    if (last) last.count += count
    else this.#handled.push({ ms, count })
  }

  /** What was counted since the last call. */
  take(): { readonly handled: readonly Lengths[]; readonly hits: number; readonly misses: number } {
    const { hits, misses } = this
    const handled = this.#handled
    this.hits = 0
    this.misses = 0
    this.#handled = []
    return { handled, hits, misses }
  }
}

const known = new WeakMap<EngineSettings, RunTally>()

/** The tally of the run that has these settings; made when it is first asked for. */
export function tallyOf(settings: EngineSettings): RunTally {
  let tally = known.get(settings)
  if (tally === undefined) known.set(settings, (tally = new RunTally()))
  return tally
}
