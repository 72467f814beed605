/** A buyer as the view keeps him. */
export interface LeadRow {
  readonly buyer: string
  readonly low: boolean
  readonly high: readonly string[]
  /** Offers that wait for an answer. */
  readonly open: number
  /** Quotes that were made. */
  readonly quotes: number
  readonly contacted: boolean
  readonly partition: number
  /** Sequence number of the last event that is in here. */
  readonly lastSeq: number
}

export type TaskState = 'open' | 'done' | 'cancelled'

/** A call that somebody is to make. Times in ISO 8601. */
export interface CallTaskRow {
  readonly id: string
  readonly buyer: string
  readonly offer: string
  readonly car: string
  readonly acceptance: number
  readonly state: TaskState
  readonly openedAt: string
  readonly changedAt: string
}

/** Part of a list: behind which name or id, and at most how many. */
export interface ListPart {
  readonly cursor?: string | undefined
  readonly limit: number
}

/** Which buyers; what is left out is not asked for. */
export interface LeadFilter {
  readonly low?: boolean | undefined
  /** Whether there is a car whose offer stands accepted. */
  readonly high?: boolean | undefined
  /** An accepted offer on this car. */
  readonly car?: string | undefined
}

/** Which tasks; what is left out is not asked for. */
export interface TaskFilter {
  readonly state?: TaskState | undefined
  readonly buyer?: string | undefined
}

/** The data of the view, within one transaction. */
export interface SalesRows {
  leadsOf(buyers: readonly string[]): Promise<readonly LeadRow[]>
  putLead(row: LeadRow): Promise<void>
  task(id: string): Promise<CallTaskRow | undefined>
  putTask(row: CallTaskRow): Promise<void>
  /** Buyers of a partition with events above a sequence number; some of them. */
  touchedAfter(partition: number, seq: number): Promise<readonly string[]>
  /** Takes buyers out, with their tasks. */
  remove(buyers: readonly string[]): Promise<void>
  /** By buyer. */
  leads(filter: LeadFilter, part: ListPart): Promise<readonly LeadRow[]>
  /** By id. */
  tasks(filter: TaskFilter, part: ListPart): Promise<readonly CallTaskRow[]>
}
