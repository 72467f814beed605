import { MillraceError } from '@millrace/event'

/** What a step learns beside the input. */
export interface StepContext {
  /** The same in every attempt of this step: hand it to the outside, so that it can recognise a repeat. */
  readonly idempotencyKey: string
  readonly correlationId: string
  /** 1 for the first attempt. */
  readonly attempt: number
  /** What the steps before have answered, by their names. */
  readonly results: Readonly<Record<string, unknown>>
  /** Aborted when the attempt takes too long, or the right to carry it out is lost. */
  readonly signal: AbortSignal
}

/** What becomes of a saga of which a step fails for good. */
export type OnStepFailed =
  /** What the steps before have done is taken back, the last one first. */
  | 'undo'
  /** It waits for somebody, with the reason; what was done stays. */
  | 'needs-attention'

/** One step: an action on one system. */
export interface Step<I> {
  /** Lower case letters, digits and dashes; what is recorded today may go on with another program tomorrow. */
  readonly name: string
  /** Answers something that JSON can hold, for the steps after it. Runs at least once. */
  readonly run: (input: I, context: StepContext) => Promise<unknown>
  /** Takes back what the step has done. Runs at least once. Without it there is nothing to take back. */
  readonly undo?: (input: I, context: StepContext) => Promise<void>
  /** Default `undo`. */
  readonly whenFailed?: OnStepFailed
}

/** A saga as it was declared. */
export interface Saga<I = unknown> {
  readonly name: string
  readonly steps: readonly Step<I>[]
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/

/**
 * Declares a saga: steps on several systems, of which either all take place, or those that did are taken back, or
 * somebody is told. Throws a TypeError when the declaration is wrong: that is a mistake in code.
 */
export function saga<I>(name: string, steps: readonly Step<I>[]): Saga<I> {
  for (const one of [name, ...steps.map((step) => step.name)])
    if (!namePattern.test(one)) throw new TypeError(`"${one}" must be lower case letters, digits and dashes`)
  if (steps.length === 0) throw new TypeError(`Saga ${name} has no steps`)
  if (new Set(steps.map((step) => step.name)).size < steps.length)
    throw new TypeError(`Saga ${name} has two steps of one name`)
  return { name, steps }
}

/** Whether another attempt can succeed: what this program does not know may. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof MillraceError) || error.retryable
}
