import type { EventDraft, TypesOfTopic, VersionedType } from '@millrace/event'
import type { StandardSchemaV1 } from '@standard-schema/spec'

type InputOf<T> =
  T extends VersionedType<infer S>
    ? StandardSchemaV1.InferInput<S>
    : T extends StandardSchemaV1
      ? StandardSchemaV1.InferInput<T>
      : never

/** What a processor may say of an event that it emits, beside type and data. The rest comes from the delivery. */
type Said = Pick<EventDraft, 'source' | 'time' | 'actor'> & {
  /** Default: the key of the delivery. */
  readonly key?: string
}

/** An event to emit, of any of a topic's types. */
export type DraftOf<Types extends TypesOfTopic> = {
  [Name in keyof Types & string]: Said & { readonly type: Name; readonly data: InputOf<Types[Name]> }
}[keyof Types & string]

/**
 * What `emit` takes: nothing, one event or several. `Name` is inferred from what is given; without it, TypeScript
 * would take the type of `type: 'OfferMade'` for any string.
 */
export type DraftsOf<Types extends TypesOfTopic, Name extends keyof Types & string> =
  | ({ readonly type: Name } & DraftOf<Types>)
  | readonly ({ readonly type: Name } & DraftOf<Types>)[]
  | undefined
