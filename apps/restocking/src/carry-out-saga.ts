import { type Saga, type SagaDraft, saga } from '@millrace/saga'
import { factsOf, type SuggestionFacts } from './suggestion.ts'

/** Who changes orders, and knows the suppliers. */
export interface OrderDesk {
  /**
   * Changes the order as the suggestion says, judged on the version that it is about.
   *
   * @throws {MillraceError} `order.finished`, `append.version`: it was changed meanwhile
   */
  carryOut(suggestion: SuggestionFacts, call: DeskCall): Promise<void>
  supplier(id: string, call: Omit<DeskCall, 'idempotencyKey'>): Promise<Supplier>
}

/** What goes with a call. */
export interface DeskCall {
  readonly idempotencyKey: string
  readonly correlationId: string
  readonly signal: AbortSignal
}

export interface Supplier {
  readonly name: string
  readonly email: string
}

/** Tells suppliers. */
export interface SupplierMail {
  /** @throws {MillraceError} `mail.refused` for good; `mail.temporary`, `mail.unknown` */
  send(supplier: Supplier, suggestion: SuggestionFacts, call: DeskCall): Promise<void>
}

/** What the saga of one click works with. */
export interface CarryOutParts {
  readonly desk: OrderDesk
  readonly mail: SupplierMail
  /** The order is changed. */
  readonly completed: (suggestion: SuggestionFacts, correlationId: string) => Promise<void>
}

const name = 'carry-out'

/** One click: change the order, then mail its supplier. What was changed stays, if the mail is refused for good. */
export function carryOutSaga({ desk, mail, completed }: CarryOutParts): Saga<SuggestionFacts> {
  return saga(name, [
    {
      name: 'update-order',
      run: async (suggestion, { idempotencyKey, correlationId, signal }) => {
        await desk.carryOut(suggestion, { idempotencyKey, correlationId, signal })
        await completed(suggestion, correlationId)
      },
    },
    {
      name: 'mail-supplier',
      whenFailed: 'needs-attention',
      run: async (suggestion, { idempotencyKey, correlationId, signal }) => {
        const supplier = await desk.supplier(suggestion.supplier, { correlationId, signal })
        await mail.send(supplier, suggestion, { idempotencyKey, correlationId, signal })
      },
    },
  ])
}

/** The saga of one click on a suggestion. */
export function carryOutDraft(
  suggestion: SuggestionFacts,
  attempt: string,
  correlationId: string,
  startedMs: number,
): SagaDraft {
  const id = `${suggestion.id}#${attempt}`
  return { id, saga: name, input: factsOf(suggestion), correlationId, startedMs }
}
