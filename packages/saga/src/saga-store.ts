/**
 * States of a saga: `running` → `done`; `running` → `undoing` → `undone`; either → `needs-attention` → (by somebody)
 * `running` or `undoing` again, or `settled`.
 */
export type SagaState = 'running' | 'done' | 'undoing' | 'undone' | 'needs-attention' | 'settled'

/** What is recorded of a saga. */
export interface SagaRecord {
  readonly id: string
  /** Name of its declaration. */
  readonly saga: string
  readonly input: unknown
  readonly correlationId: string
  readonly state: SagaState
  /** Steps that are done and not taken back; while it runs, the next one has this index. */
  readonly done: number
  /** What the steps have answered, by name. */
  readonly results: Readonly<Record<string, unknown>>
  /** Failed attempts of the step in hand. */
  readonly failures: number
  /** Why the last attempt failed. */
  readonly error?: { readonly code: string; readonly message: string; readonly step: string }
  /** When it is tried again, in ms since the epoch. */
  readonly dueMs: number
  readonly startedMs: number
}

/** What a new saga begins with. */
export type SagaDraft = Pick<SagaRecord, 'id' | 'saga' | 'input' | 'correlationId' | 'startedMs'>

/** A saga in the hand of one runner. */
export interface TakenSaga {
  readonly record: SagaRecord
  /** Proves it: whoever takes the saga after a pause gets another one. */
  readonly token: string
}

/** What one step makes of a record. */
export type SagaProgress = Omit<SagaRecord, 'id' | 'saga' | 'input' | 'correlationId' | 'startedMs'>

/** Filter of {@link SagaStore.list}. */
export interface SagaFilter {
  readonly state?: SagaState
  /** At most so many, the oldest first. Default 100. */
  readonly limit?: number
}

/** Where sagas are recorded. */
export interface SagaStore {
  /** Records a new saga; one with this id that is there already stays as it is. Answers what is recorded. */
  begin(draft: SagaDraft): Promise<SagaRecord>

  /**
   * Takes a saga that runs or is taken back and that nobody holds: the one with this id, or one that is due. It is held
   * for `holdMs`, or until it is saved.
   */
  take(of: { readonly id: string } | 'due', nowMs: number, holdMs: number): Promise<TakenSaga | undefined>

  /**
   * Records what a step has made of it. Answers false, and records nothing, when somebody else has taken it meanwhile.
   *
   * @param holdUntilMs It stays in this hand until then. Default: it is let go.
   */
  save(taken: TakenSaga, progress: SagaProgress, holdUntilMs?: number): Promise<boolean>

  /** Changes a saga that needs attention. Answers false when it does not. */
  decide(id: string, state: 'running' | 'undoing' | 'settled', nowMs: number): Promise<boolean>

  get(id: string): Promise<SagaRecord | undefined>
  list(filter?: SagaFilter): Promise<readonly SagaRecord[]>
}

/** The record of a saga that has not begun. */
export function firstRecord(draft: SagaDraft): SagaRecord {
  return { ...draft, state: 'running', done: 0, results: {}, failures: 0, dueMs: draft.startedMs }
}
