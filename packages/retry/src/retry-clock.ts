/** Which head of a parked key a retry is about. */
export interface RetryRef {
  readonly topic: string
  readonly partition: number
  readonly group: string
  readonly generation: number
  readonly key: string
  /** Number of the commit that made the head the head: another one for each head of the key. */
  readonly parkNo: number
  /** Sequence number of the head. */
  readonly head: number
}

/** What people read about a parked key on a dashboard. The clock masks addresses and secrets in it. */
export interface RetryStory {
  readonly type: string
  readonly eventId: string
  readonly correlationId?: string
  /** W3C trace context of the event. */
  readonly traceparent?: string
  /** Code of the last error. */
  readonly reason: string
  readonly error: string
  readonly stack?: string
  /** The event's data. Passwords and the like are never shown, addresses are masked. */
  readonly data?: unknown
  /** Groups failures of the same cause. */
  readonly fingerprint?: string
  /** Events that wait behind the head. */
  readonly lined?: number
  /** When the head was first tried, in ms since the epoch. */
  readonly sinceMs?: number
}

/** A retry to come, or a key that waits for an operator. */
export interface RetryJob extends RetryRef {
  /** When the head is to be tried again, in ms since the epoch. Of no meaning for a held key. */
  readonly dueMs: number
  /** Attempts that the head has cost. */
  readonly attempt: number
  /** The key waits for an operator: it never comes due by itself, only when somebody asks for it. */
  readonly held?: boolean
  readonly story: RetryStory
}

/** Who says that a retry is due: its time has come, or somebody wants it now. */
export type DueBy = 'clock' | 'operator'

/** What the store made of it; `stale`: nobody waits there any more, and the job can go. */
export type DueAnswer = 'due' | 'already' | 'stale'

/**
 * Hears that a retry is due and marks the park record so, whoever owns the partition. It may be called again for the
 * same one, on any member. When it throws it is asked again later.
 */
export type DueListener = (ref: RetryRef, by: DueBy) => Promise<DueAnswer | void>

/**
 * The clock of parked keys, for one group. It is only a clock: the park record is the truth, the partition's owner
 * does the work, and a clock that has lost everything is filled again by the owners' sweeps.
 */
export interface RetryClock {
  /**
   * Plans a retry, or shows a held key. For a head that is planned already: the same again changes nothing, another
   * time moves it, and a held one becomes planned or a planned one held. Throws MillraceError `retry.unavailable`
   * when the clock cannot be reached; a later sweep makes up for it.
   */
  schedule(job: RetryJob): Promise<void>
  /** Plans what is missing out of a page of park records, at most 1,000; answers how many were. */
  sweep(jobs: readonly RetryJob[]): Promise<number>
  /** Forgets a head. One that is gone already, or is firing, is no mistake. */
  cancel(id: string): Promise<void>
  /** Says who hears of due retries; nothing fires before. Once a clock. */
  onDue(listener: DueListener): void
  close(): Promise<void>
}
