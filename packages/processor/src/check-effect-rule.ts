import { limits } from '@millrace/event'
import type { EffectRuleRequest } from './effect-repairs.ts'
import { isRuleText } from './check-rule.ts'

/** Checks what every adapter demands of a request. Throws a TypeError: a mistake in code. */
export function checkEffectRule(request: EffectRuleRequest): void {
  const { id, idempotencyKey, kind, by, reason, payload, turn } = request
  if (!/^[!-~]{1,128}$/.test(id)) wrong('its id is 1 to 128 printable characters')
  if (!/^[ -~]{1,512}$/.test(idempotencyKey)) wrong('an idempotency key is 1 to 512 printable characters')
  if (!isRuleText(by, 200)) wrong('by is 1 to 200 characters')
  if (!isRuleText(reason, 1_000)) wrong('the reason is 1 to 1,000 characters')
  if ((kind === 'corrected') !== (payload !== undefined))
    wrong('a payload goes with corrected, and with nothing else')
  if (turn !== undefined && !Number.isSafeInteger(turn)) wrong('a turn is a whole number')
  if (payload !== undefined && Buffer.byteLength(JSON.stringify(payload)) > limits.eventBytes)
    wrong('the corrected payload is larger than an event may be')
}

function wrong(what: string): never {
  throw new TypeError(`A ruling on an effect: ${what}`)
}
