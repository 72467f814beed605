import { MillraceError, type Topic, upcast } from '@millrace/event'
import type { ClaimChange, Recorded } from '@millrace/log'
import { claimsOfEvent } from './claims-of-event.ts'
import type { Constraints } from './constraints.ts'
import type { Keyring } from './keyring.ts'

/** What a key holds of a constraint after some of its events: tagged digests, or nothing any more. */
export interface Holding {
  readonly constraint: string
  readonly key: string
  readonly digests: readonly string[] | undefined
}

/** An event that the log has and the configuration cannot digest: it claims nothing. */
export interface Undigested {
  readonly position: string
  readonly message: string
}

/** The end of a fold over recorded events: the last holding of each key and constraint. */
export class HoldingFold {
  readonly #topic: Topic
  readonly #constraints: Constraints
  readonly #keyring: Keyring
  readonly #holdings = new Map<string, Holding>()
  readonly undigested: Undigested[] = []

  constructor(topic: Topic, constraints: Constraints, keyring: Keyring) {
    this.#topic = topic
    this.#constraints = constraints
    this.#keyring = keyring
  }

  add(recorded: Recorded): void {
    for (const change of this.#changes(recorded)) {
      const { constraint } = change
      const key = recorded.event.subject
      const digests = change.action === 'release' ? undefined : tagged(change)
      this.#holdings.set(`${constraint}:${key}`, { constraint, key, digests })
    }
  }

  get holdings(): ReadonlyMap<string, Holding> {
    return this.#holdings
  }

  // A broken event on the log must not stop an operator from repairing the rest.
  #changes(recorded: Recorded): readonly ClaimChange[] {
    try {
      return claimsOfEvent(this.#constraints, this.#keyring, upcast(this.#topic, recorded.event))
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      if (this.undigested.length < 100)
        this.undigested.push({
          position: `${this.#topic.name}/${recorded.position.partition}/${recorded.position.id}`,
          message: error.message,
        })
      return []
    }
  }
}

function tagged(change: ClaimChange): readonly string[] {
  return Object.keys(change.digests)
    .toSorted()
    .map((version) => `${version}:${change.digests[version]}`)
}
