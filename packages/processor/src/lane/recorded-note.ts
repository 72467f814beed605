import { maskText, MillraceError } from '@millrace/event'
import { cut } from '../failure-facts.ts'
import type { Delivery } from './delivery.ts'

const mostNotes = 10
const mostText = 300
const mostDetails = 10

/**
 * Adds a word to the story of an event, told when the event is done. Texts are masked and cut, because they are read by
 * people, for long.
 *
 * @throws MillraceError `append.limit`
 */
export function recordNote(
  delivery: Delivery,
  text: string,
  details: Readonly<Record<string, string | number>>,
): void {
  const notes = (delivery.notes ??= [])
  if (notes.length >= mostNotes)
    throw new MillraceError('append.limit', `A handler says more than ${mostNotes} things of one event`)
  const shown = Object.entries(details)
    .slice(0, mostDetails)
    .map(([name, value]) => [name, typeof value === 'string' ? cut(value, mostText) : value] as const)
  notes.push({ text: cut(maskText(text), mostText), details: Object.fromEntries(shown) })
}
