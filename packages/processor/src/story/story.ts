import type { StoryFact, StoryNote } from './story-fact.ts'
import type { RequestFact } from './story-index.ts'

/** By what a story is asked for. */
export type StoryAsked =
  | { readonly correlationId: string }
  | { readonly eventId: string }
  | { readonly topic: string; readonly key: string }

/** Where something has happened: an event, and the group that it happened in. */
interface InGroup {
  readonly group: string
  readonly eventId: string
  /** Position of the event, as text. */
  readonly position: string
}

/** An event as a story tells it: never with its data. */
export interface ToldEvent {
  readonly eventId: string
  readonly position: string
  readonly type: string
  /** Masked where it holds an address. */
  readonly key: string
  readonly source: string
  readonly correlationId: string
  readonly causationId?: string
  readonly actor?: string
  /** When it happened, as its producer says; `atMs` is when the log took it. */
  readonly time: string
}

/** One line of a story. */
export type StoryEntry = { readonly atMs: number } & (
  | ({ readonly kind: 'request' } & Omit<RequestFact, 'correlationId' | 'atMs'>)
  | ({ readonly kind: 'event' } & ToldEvent)
  | ({ readonly kind: 'fact' } & InGroup & { readonly fact: StoryFact })
  /** What a handler has said of it. */
  | ({ readonly kind: 'note' } & InGroup & Omit<StoryNote, 'atMs'>)
  /** Settled at the first attempt; between `afterMs` and `atMs`, where that is known. */
  | ({ readonly kind: 'settled' } & InGroup & {
        readonly member?: string
        readonly afterMs?: number
        /** Nothing tells when: the marks of that time are forgotten. `atMs` is when the log took the event. */
        readonly whenUnknown?: true
      })
)

/** Where an event stands in a group at present, if it is not settled. */
export interface Standing extends InGroup {
  readonly state: 'not-reached' | 'retry' | 'held' | 'in-line' | 'deferred' | 'dead' | 'effect-open'
  /** In words. */
  readonly why: string
  /** When it is tried again, in ms since the epoch. */
  readonly dueMs?: number
}

/** What became of a request, an event or a key: everything in the order of time. */
export interface Story {
  readonly asked: StoryAsked
  readonly entries: readonly StoryEntry[]
  /** What is not settled. */
  readonly open: readonly Standing[]
  /** Events that were left out, because a story has at most 200. */
  readonly beyond: number
  /** Events of all topics that the index has not taken in yet: what is not told may be among them. */
  readonly behind: number
}

/** Events of one story. */
export const mostStoryEvents = 200
