/** One thing that became of an event in a group: written by the very step that made it true. JSON. */
export type StoryFact = {
  /** When it was so, in ms since the epoch, by the clock of the member or, for rulings, of the store. */
  readonly atMs: number
} & (AttemptFact | ParkedFact | DeferredFact | DeadFact | DoneFact | EffectFact | EffectEndedFact | RuledFact)

/** An attempt has failed; `atMs` is when it began. */
interface AttemptFact {
  readonly what: 'attempt'
  /** 1 for the first. One that is not counted, because its gate was shut, has the number of the next. */
  readonly no: number
  readonly tookMs: number
  readonly member: string
  /** Code and message, masked. */
  readonly error: string
  /** What its handler said before. */
  readonly notes?: readonly StoryNote[]
}

/** Its key waits for its next attempt, or for an operator. */
interface ParkedFact {
  readonly what: 'parked'
  readonly member: string
  readonly attempts: number
  readonly reason: string
  /** When it is tried again, in ms since the epoch; absent: it waits for an operator. */
  readonly dueMs?: number
}

/** It was set aside until its precondition has come. */
interface DeferredFact {
  readonly what: 'deferred'
  readonly member: string
  readonly why: string
}

/** It is a dead letter. */
interface DeadFact {
  readonly what: 'dead'
  readonly member: string
  readonly attempts: number
  /** Class of the error. */
  readonly reason: string
  /** Masked. */
  readonly message: string
}

/** It is done, and not in the ordinary way: at a later attempt, late, out of a line, or with something to tell. */
interface DoneFact {
  readonly what: 'done'
  readonly member: string
  readonly attempt: number
  /** Where it came from; absent: from the log, in its order. */
  readonly origin?: 'line' | 'deferred' | 'late'
  /** What its handler says of it. */
  readonly notes?: readonly StoryNote[]
  /** Id of the ruling that it was handled under. */
  readonly ruling?: string
  /** What was missing: it is done by that, as its type says. */
  readonly unmet?: string
}

/** It has led to an action on the outside world, which is recorded. */
interface EffectFact {
  readonly what: 'effect'
  readonly name: string
  readonly idempotencyKey: string
}

/** That action was carried out, given up, or settled by an operator. */
interface EffectEndedFact {
  readonly what: 'effect-ended'
  readonly member: string
  readonly name: string
  readonly idempotencyKey: string
  readonly to: string
  readonly attempts: number
  /** From the first attempt on. */
  readonly tookMs: number
  /** Code and message of the last error, masked. */
  readonly error?: string
}

/** An operator has decided about it. */
export interface RuledFact {
  readonly what: 'ruled'
  readonly kind: string
  readonly on: string
  readonly by: string
  readonly reason: string
  readonly id: string
}

/** What a handler says of its event. */
export interface StoryNote {
  /** When it was said, in ms since the epoch, by the clock of the member. */
  readonly atMs: number
  /** Such as `mail sent`. */
  readonly text: string
  /** Names and values that may be seen by everybody who operates the system: ids, counts, no addresses. */
  readonly details: Readonly<Record<string, string | number>>
}

/** A fact and the event that it tells of. */
export interface NotedFact {
  readonly seq: number
  readonly fact: StoryFact
}

/** When a commit moved the position, and who made it. */
export interface SettledMark {
  readonly atMs: number
  readonly member: string
  /** Kept in any case. Default: only when the commit has the position at the end of the log. */
  readonly anyway?: true
}

/** When an ordinary event was settled: between two commits that were marked. */
export interface SettledSpan {
  /** The last mark before it. */
  readonly after: Omit<SettledMark, 'anyway'> | undefined
  /** The first mark that has it settled. */
  readonly by: Omit<SettledMark, 'anyway'>
}

/** Bounds of what is kept. What is beyond is forgotten, oldest first. */
export const storyBounds = {
  /** Bytes of the facts of one event in one group, as JSON; whole facts are kept, the latest. */
  bytes: 16_384,
  /** Events of a partition of which one group keeps facts. */
  stories: 10_000,
  /** How long after its last fact, in ms: seven days. */
  keptMs: 7 * 24 * 3_600_000,
  /** Facts of one commit; the engine leaves out what is beyond. */
  facts: 2_000,
  /** Marked commits of a group and a partition. */
  marks: 5_000,
} as const
