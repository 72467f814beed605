import type { Topic, TypesOfTopic } from '@millrace/event'
import type { Position } from '@millrace/log'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { DraftsOf } from './draft.ts'
import type { EffectDefinition } from './effect.ts'

/**
 * What a plain handler records and learns. Everything recorded comes true with the commit, or not at all when the
 * handler fails. Of use until the handler has ended; after that every call throws `pipeline.unheld`.
 */
export interface HandlerContext<S> {
  readonly key: string
  readonly position: Position
  /** 1 for the first attempt. */
  readonly attempt: number
  /** It had become a dead letter, and an operator has put it back: later events of the key were handled before. */
  readonly late: boolean
  /** The key's state, with what this handler has made of it. Never to be changed in place. */
  readonly state: S
  /** Derives from group and event: the same in every attempt. For what the handler itself does outside. */
  readonly idempotencyKey: string
  /** Aborted when the delivery is given up: the lease is lost, the time limit is over, the lane has failed. */
  readonly signal: AbortSignal
  /** Replaces the state. */
  evolve(next: S): void
  /** Emits events to a topic. @throws MillraceError `event.invalid`, `type.unknown`, `event.too-large` */
  emit<Types extends TypesOfTopic, const Name extends keyof Types & string>(
    topic: Topic<Types>,
    drafts: DraftsOf<Types, Name>,
  ): void
  /** Records an effect, to be carried out after the commit. @throws MillraceError `event.invalid` */
  effect<E extends StandardSchemaV1>(
    definition: EffectDefinition<E>,
    payload: StandardSchemaV1.InferInput<E>,
  ): void
  /**
   * Says something of the event for its story (`millrace explain`), such as the Message-ID of a mail: told with
   * what becomes of the attempt. The latest ten are; no secrets and no addresses in `details`, which are shown as they are.
   */
  note(text: string, details?: Readonly<Record<string, string | number>>): void
  /** Sets the event aside until its precondition has come; the key goes on. Nothing else may be recorded. */
  defer(why: string): void
  /** Gives the event up: a dead letter, with this reason. Nothing else may be recorded. */
  dead(why: string): void
}

/** The short form of a pipeline: one event of a key at a time, in order. */
export type Handler<E, S> = (event: E, context: HandlerContext<S>) => Promise<void> | void
