/** An event that was set aside until its precondition has come. Its body stays on the log. JSON. */
export interface DeferredEvent {
  readonly seq: number
  /** Stream id. */
  readonly id: string
  readonly type: string
  readonly eventId: string
  /** What it waits for. */
  readonly why: string
  /** When it was deferred first, in ms since the epoch. */
  readonly sinceMs: number
  /** When it is given up, in ms since the epoch; absent: never. */
  readonly untilMs?: number
}

/** All deferred events of a key after a commit, in order; none: the list is removed. */
export interface DeferredList {
  readonly key: string
  readonly events: readonly DeferredEvent[]
}
