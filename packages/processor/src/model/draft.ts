import type { EventDraft, Topic, VersionedType } from '@millrace/event'
import type { StandardSchemaV1 } from '@standard-schema/spec'

type InputOf<T> =
  T extends VersionedType<infer S>
    ? StandardSchemaV1.InferInput<S>
    : T extends StandardSchemaV1
      ? StandardSchemaV1.InferInput<T>
      : never

/**
 * An event that a processor emits to a topic. Its id, source of correlation and cause come from the delivery; its key
 * is the delivery's unless it says another one.
 */
export type DraftOf<T extends Topic> =
  T extends Topic<infer Types>
    ? {
        [Name in keyof Types & string]: Pick<EventDraft, 'source' | 'time' | 'actor'> & {
          readonly type: Name
          readonly key?: string
          readonly data: InputOf<Types[Name]>
        }
      }[keyof Types & string]
    : never

/** What `emit` takes: nothing, one event or several. */
export type DraftsOf<T extends Topic> = DraftOf<T> | readonly DraftOf<T>[] | undefined
