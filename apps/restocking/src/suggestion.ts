import type { VerdictKind } from './domain/review.ts'

/** States of a suggestion. */
export type SuggestionStatus =
  | 'open'
  | 'snoozed'
  | 'in-progress'
  | 'completed'
  | 'needs-attention'
  | 'dismissed'
  | 'withdrawn'

/** What can be carried out. */
export type ActionKind = Exclude<VerdictKind, 'keep' | 'waiting'>

export const actionKinds = ['cancel', 'postpone', 'bring-forward'] as const satisfies readonly ActionKind[]

/** What a suggestion says. */
export interface SuggestionFacts {
  readonly id: string
  readonly order: string
  readonly line: number
  readonly product: string
  readonly productName: string
  readonly supplier: string
  readonly quantity: number
  /** YYYY-MM-DD. */
  readonly dueOn: string
  readonly lineVersion: number
  readonly kind: ActionKind
  /** YYYY-MM-DD. */
  readonly proposedDueOn?: string
  readonly numbers: Readonly<Record<string, number>>
  readonly reason: string
}

/** A suggestion as planners see it. */
export interface Suggestion extends SuggestionFacts {
  readonly status: SuggestionStatus
  /** Why it is withdrawn, or needs attention. */
  readonly statusReason?: string
  /** ISO 8601. */
  readonly snoozedUntil?: string
}

/**
 * Names a suggestion by its line, its rule and the version of what it rests on: what was decided once is not suggested
 * again until the order itself has changed.
 */
export function suggestionId(
  { order, line, lineVersion }: Pick<SuggestionFacts, 'order' | 'line' | 'lineVersion'>,
  kind: ActionKind,
): string {
  return `${order}.${line}.v${lineVersion}.${kind}`
}

export function isAction(kind: string): kind is ActionKind {
  return (actionKinds as readonly string[]).includes(kind)
}

/** What a suggestion says, without what has become of it. */
export function factsOf(suggestion: SuggestionFacts): SuggestionFacts {
  const { id, order, line, product, productName, supplier, quantity, dueOn, lineVersion } = suggestion
  const { kind, proposedDueOn, numbers, reason } = suggestion
  return {
    ...{ id, order, line, product, productName, supplier, quantity, dueOn, lineVersion },
    ...{ kind, numbers, reason },
    ...(proposedDueOn === undefined ? {} : { proposedDueOn }),
  }
}
