import { createHash } from 'node:crypto'
import { limits } from '@millrace/event'
import type { RuleRequest } from './repairs.ts'

/** Checks what every adapter demands of a request. Throws a TypeError: a mistake in code. */
export function checkRule({ id, seq, key, kind, by, reason, data, parkNo }: RuleRequest): void {
  if (!/^[!-~]{1,128}$/.test(id)) wrong('its id is 1 to 128 printable characters')
  if (!(Number.isSafeInteger(seq) && seq >= 1)) wrong('its seq is a whole number from 1')
  if (key === '') wrong('its key is empty')
  if (!isRuleText(by, 200)) wrong('by is 1 to 200 characters')
  if (!isRuleText(reason, 1_000)) wrong('the reason is 1 to 1,000 characters')
  if ((kind === 'corrected') !== (data !== undefined))
    wrong('data goes with corrected, and with nothing else')
  if (parkNo !== undefined && !Number.isSafeInteger(parkNo)) wrong('the number of a head is a whole number')
  if (data !== undefined && Buffer.byteLength(JSON.stringify(data)) > limits.eventBytes)
    wrong('the corrected data are larger than an event may be')
}

/** Names the data of a correction: the same data have the same name. Without data: a dash. */
export function digestOfData(data: unknown): string {
  if (data === undefined) return '-'
  return createHash('sha256').update(JSON.stringify(data)).digest('base64url').slice(0, 22)
}

/** Whether a text of a ruling has a length that can be stored. */
export function isRuleText(text: string, most: number): boolean {
  return text.length > 0 && text.length <= most && text.isWellFormed()
}

function wrong(what: string): never {
  throw new TypeError(`A ruling: ${what}`)
}
