import type { OutputOf } from '@millrace/event'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** What an effect learns beside its payload. */
export interface EffectContext {
  readonly key: string
  /** The same in every attempt: hand it to the outside, so that it can recognise a repeat. */
  readonly idempotencyKey: string
  /** 1 for the first attempt. */
  readonly attempt: number
  readonly correlationId: string
  /** Id of the event that led to it. */
  readonly causationId: string
  /** Aborted when the attempt takes too long or the right to carry it out is lost. */
  readonly signal: AbortSignal
}

/** An action on the outside world, by name: what is recorded today may be carried out by another program tomorrow. */
export interface EffectDefinition<S extends StandardSchemaV1 = StandardSchemaV1> {
  readonly name: string
  readonly schema: S
  readonly run: (payload: OutputOf<S>, context: EffectContext) => Promise<void> | void
}

/** An effect of any payload, as the engine holds it. */
export interface AnyEffect {
  readonly name: string
  readonly schema: StandardSchemaV1
  readonly run: (payload: never, context: EffectContext) => Promise<void> | void
}

/**
 * Defines an effect. A processor that uses it lists it under `effects`. It is carried out at least once, after the
 * commit that recorded it, and never on a replay. Throws a TypeError when the name is wrong.
 */
export function defineEffect<const S extends StandardSchemaV1>(
  name: string,
  options: Omit<EffectDefinition<S>, 'name'>,
): EffectDefinition<S> {
  assertOwnName('effect', name)
  return { name, ...options }
}

/** Checks the name of an effect or of a durable operator: both end up in the store. */
export function assertOwnName(what: string, name: string): void {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
    throw new TypeError(
      `The ${what} name "${name}" must be lower case letters, digits and dashes, at most 63, a letter first`,
    )
}
