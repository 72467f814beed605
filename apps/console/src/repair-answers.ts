import { type ErrorCode, MillraceError } from '@millrace/event'
import type { RepairAction, RepairOutcome } from '@millrace/processor'
import type { OrderInput } from './repairs-input.ts'

/**
 * What a request orders.
 *
 * @throws MillraceError `request.invalid` when it does not say what to correct, or says it where nothing is corrected
 */
export function actionOf({ action, data, patch }: OrderInput): RepairAction {
  const given = [data, patch].filter((one) => one !== undefined).length
  if (given !== (action === 'edit' ? 1 : 0))
    throw new MillraceError(
      'request.invalid',
      'An edit needs either data or patch, and nothing else takes them',
    )
  if (action !== 'edit') return { do: action }
  return patch === undefined ? { do: 'edit', data } : { do: 'edit', patch }
}

const codes: Readonly<Record<'gone' | 'overtaken' | 'changed' | 'pending', ErrorCode>> = {
  gone: 'repair.gone',
  overtaken: 'repair.overtaken',
  changed: 'repair.changed',
  pending: 'repair.pending',
}

/**
 * The answer to the repair of one event.
 *
 * @throws MillraceError what has not come about, as a problem
 */
export function answerOf(outcome: RepairOutcome): RepairOutcome {
  const { status, overtaken, message, code } = outcome
  switch (status) {
    case 'ruled':
    case 'already':
      return outcome
    case 'gone':
    case 'overtaken':
    case 'changed':
    case 'pending':
      throw new MillraceError(codes[status], undefined, { details: overtaken ? { overtaken } : {} })
    case 'invalid':
    case 'failed':
      throw new MillraceError((code ?? 'event.invalid') as ErrorCode, message)
  }
}
