import type { SagaDraft, SagaStore } from '@millrace/saga'
import type { FeedPage } from './change-feed.ts'
import type { Suggestion, SuggestionFacts, SuggestionStatus } from './suggestion.ts'

/** What a list shows. */
interface SuggestionFilter {
  readonly status?: SuggestionStatus
  readonly supplier?: string
  readonly product?: string
  readonly kind?: string
  /** Id after which the page begins. */
  readonly after?: string
  readonly limit: number
}

/** What was said of a line, whatever it was: why there is no suggestion. */
export interface LineVerdict {
  readonly order: string
  readonly line: number
  readonly product: string
  readonly lineVersion: number
  readonly kind: string
  readonly numbers: Readonly<Record<string, number>>
  readonly reason: string
  /** ISO 8601. */
  readonly reviewedAt: string
  readonly correlationId: string
  readonly suggestion?: string
}

/** Who decides, and in the course of what. */
export interface Decider {
  readonly actor: string
  readonly correlationId: string
  readonly idempotencyKey: string | undefined
}

/** Suggestions and what planners have decided about them. */
export interface SuggestionStore {
  readonly sagas: SagaStore
  prepare(): Promise<void>
  list(filter: SuggestionFilter): Promise<readonly Suggestion[]>
  get(id: string): Promise<Suggestion | undefined>
  /** What is said of each line of an order. */
  verdicts(order: string): Promise<readonly LineVerdict[]>
  /** How many suggestions have each status. */
  counts(): Promise<Readonly<Record<string, number>>>
  /**
   * Begins to carry a suggestion out, together with its saga, which `saga` makes of it. Answers the saga's id; for a
   * repeat with the same idempotency key that of the first time.
   *
   * @throws {MillraceError} `suggestion.unknown`, `suggestion.gone`, `suggestion.decided`
   */
  begin(
    id: string,
    by: Decider,
    saga: (facts: SuggestionFacts, attempt: string) => SagaDraft,
  ): Promise<string>
  /** The order is changed: marks the decision, unless the echo has. */
  complete(id: string, correlationId: string): Promise<void>
  /** Brings decisions in line with sagas that have ended: refused ones are open again. Answers the ids. */
  reconcile(): Promise<readonly string[]>
  /** @throws {MillraceError} as {@link begin} */
  dismiss(id: string, by: Decider): Promise<void>
  /** @throws {MillraceError} as {@link begin} */
  snooze(id: string, until: string, by: Decider): Promise<void>
  /** Takes a dismissal or a snooze back. @throws {MillraceError} `suggestion.unknown`, `suggestion.decided` */
  reopen(id: string): Promise<void>
  /** Removes what ended more than `days` ago; what was decided is remembered by its id. Answers how many. */
  sweep(days: number): Promise<number>
  feed(after: number): Promise<FeedPage>
  feedTip(): Promise<number>
  /** Products that have open lines, after a product. */
  productsWithLines(after: string, limit: number): Promise<readonly string[]>
  close(): Promise<void>
}
