import { type Clock, MillraceError, systemTimers, type Timers } from '@millrace/event'
import type { SagaRecord, SagaRunner } from '@millrace/saga'
import { carryOutDraft } from './carry-out-saga.ts'
import type { Decider, SuggestionStore } from './suggestion-port.ts'
import type { SuggestionStatus } from './suggestion.ts'

/** The result for one of several. */
interface CarriedOut {
  readonly id: string
  readonly status?: SuggestionStatus
  readonly problem?: { readonly code: string; readonly detail: string }
}

/** Clicks. */
export interface CarryOut {
  /**
   * Carries one out, and waits a while for the order to be changed. Answers how it stands then.
   *
   * @throws {MillraceError} why it cannot be decided, or why the order's owner refused
   */
  one(id: string, by: Decider): Promise<SuggestionStatus>
  several(ids: readonly string[], by: Decider): Promise<readonly CarriedOut[]>
  /** Lets a saga that needs attention go on, or settles it by hand. @throws {MillraceError} `suggestion.unknown`, `suggestion.decided` */
  attend(id: string, action: 'retry' | 'settle'): Promise<void>
}

/** What {@link createCarryOut} needs. */
export interface CarryOutOptions {
  readonly store: SuggestionStore
  readonly runner: Pick<SagaRunner, 'run'>
  readonly clock: Clock
  readonly timers?: Timers
  /** How long a click waits for the change of its order, in ms. Default 5,000. */
  readonly waitMs?: number
  /** Most that are carried out at once for one request. Default 8. */
  readonly atOnce?: number
  /** Hears of failures behind an answer that was given already. */
  readonly onTrouble: (error: unknown) => void
}

export function createCarryOut(options: CarryOutOptions): CarryOut {
  const { store, runner, clock, timers = systemTimers, onTrouble } = options
  const one = async (id: string, by: Decider): Promise<SuggestionStatus> => {
    const sagaId = await store.begin(id, by, (facts, attempt) =>
      carryOutDraft(facts, attempt, by.correlationId, clock.now()),
    )
    const run = runner.run(sagaId).then(async (record) => {
      await store.reconcile()
      return record
    })
    // The mail may take longer than a planner waits, and goes on behind.
    run.catch(onTrouble)
    const record = await atMost(timers, options.waitMs ?? 5_000, run)
    if (record?.state === 'undone') throw refusalOf(record)
    return (await store.get(id))?.status ?? 'withdrawn'
  }
  return {
    one,
    several: async (ids, by) => {
      const results = new Map<string, CarriedOut>()
      const left = [...ids]
      const work = async (): Promise<void> => {
        for (let id = left.shift(); id !== undefined; id = left.shift()) {
          const key = by.idempotencyKey
          const own = { ...by, idempotencyKey: key === undefined ? undefined : `${key}/${id}`.slice(0, 200) }
          results.set(id, await one(id, own).then((status) => ({ id, status }), problemOf(id)))
        }
      }
      await Promise.all(Array.from({ length: options.atOnce ?? 8 }, work))
      return ids.map((id) => results.get(id) ?? { id })
    },
    attend: async (id, action) => {
      const sagas = await store.sagas.list({ state: 'needs-attention', limit: 10_000 })
      const found = sagas.findLast((record) => record.id.startsWith(`${id}#`))
      if (!found) throw new MillraceError('suggestion.unknown', `${id} needs no attention`)
      const decided = await store.sagas.decide(
        found.id,
        action === 'retry' ? 'running' : 'settled',
        clock.now(),
      )
      if (!decided) throw new MillraceError('suggestion.decided', `${id} needs no attention any more`)
      await store.reconcile()
      if (action === 'settle') return
      const run = runner.run(found.id).then(() => store.reconcile())
      run.catch(onTrouble)
      await atMost(timers, options.waitMs ?? 5_000, run)
    },
  }
}

function refusalOf({ error }: SagaRecord): MillraceError {
  const reason = error?.message ?? 'The order could not be changed'
  return new MillraceError('suggestion.decided', `${reason}; nothing was sent to the supplier`, {
    details: { refused: error?.code ?? 'internal' },
  })
}

function problemOf(id: string): (error: unknown) => CarriedOut {
  return (error) => {
    if (!(error instanceof MillraceError)) throw error
    return { id, problem: { code: error.code, detail: error.message } }
  }
}

/** What the work answers within the time, else undefined. */
async function atMost<T>(timers: Timers, ms: number, work: Promise<T>): Promise<T | undefined> {
  let cancel = (): void => undefined
  const overdue = new Promise<undefined>((resolve) => {
    cancel = timers.set(ms, () => resolve(undefined))
  })
  try {
    return await Promise.race([work, overdue])
  } finally {
    cancel()
  }
}
