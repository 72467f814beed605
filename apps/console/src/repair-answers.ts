import { type ErrorCode, MillraceError } from '@millrace/event'
import type { EffectOutcome, RepairAction, RepairOutcome } from '@millrace/processor'
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

const codes = {
  gone: 'repair.gone',
  overtaken: 'repair.overtaken',
  changed: 'repair.changed',
  pending: 'repair.pending',
  open: 'repair.pending',
} as const satisfies Partial<Record<(RepairOutcome | EffectOutcome)['status'], ErrorCode>>

/**
 * The answer to the repair of one event, or of one effect.
 *
 * @throws MillraceError what has not come about, as a problem
 */
export function answerOf<Outcome extends RepairOutcome | EffectOutcome>(outcome: Outcome): Outcome {
  const { status, overtaken, message, code } = outcome
  switch (status) {
    case 'ruled':
    case 'already':
    case 'settled':
      return outcome
    case 'gone':
    case 'overtaken':
    case 'changed':
    case 'pending':
    case 'open':
      throw new MillraceError(codes[status], undefined, { details: overtaken ? { overtaken } : {} })
    case 'invalid':
    case 'failed':
      throw new MillraceError((code ?? 'event.invalid') as ErrorCode, message)
  }
}
