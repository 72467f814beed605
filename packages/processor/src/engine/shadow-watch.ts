import { MillraceError } from '@millrace/event'
import { backoffMs } from '@millrace/retry'
import type { GroupPartition } from '../group-store.ts'
import { isPromoted, noShadowRecord, type ShadowRecord } from '../shadow/shadow-record.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { Later } from './later.ts'
import { sleep } from './sleep.ts'

const retry = { firstMs: 50, maxMs: 2_000 }
/** How often the owner looks whose effects are to be carried out, in ms: one read of a short hash. */
const lookMs = 1_000

/** Knows whose effects a shadow carries out, as operators have said a second ago at most. */
export class ShadowWatch {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #later: Later
  readonly #failed: (error: unknown) => void
  readonly #ending = new AbortController()
  #record: ShadowRecord = noShadowRecord

  constructor(settings: EngineSettings, at: GroupPartition, later: Later, failed: (error: unknown) => void) {
    this.#settings = settings
    this.#at = at
    this.#later = later
    this.#failed = failed
  }

  promoted(key: string): boolean {
    return isPromoted(this.#settings.processor, this.#record, key)
  }

  /** Resolves when it is known for the first time; looks on and on from then. */
  async start(): Promise<void> {
    const { store, timers, random, tell } = this.#settings
    for (let failures = 1; !this.#ending.signal.aborted; failures++) {
      try {
        this.#record = await store.shadow(this.#at)
        this.#later.after(lookMs, () => void this.start())
        return
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) {
          this.#failed(error)
          return
        }
        tell({ kind: 'trouble', partition: this.#at.partition, error })
        await sleep(timers, backoffMs(retry, failures, random()), this.#ending.signal)
      }
    }
  }

  end(): void {
    this.#ending.abort()
  }
}
