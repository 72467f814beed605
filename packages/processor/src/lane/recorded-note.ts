import { type Clock, maskText } from '@millrace/event'
import { cut } from '../failure-facts.ts'
import type { Delivery } from './delivery.ts'

const mostNotes = 10
const mostText = 300
const mostDetails = 10

/**
 * Adds a word to the story of an event: the latest ten are told with what becomes of the attempt. Texts are masked and
 * cut, because they are read by people, for long.
 */
export function recordNote(
  delivery: Delivery,
  clock: Clock,
  text: string,
  details: Readonly<Record<string, string | number>>,
): void {
  const shown = Object.entries(details)
    .slice(0, mostDetails)
    .map(([name, value]) => [name, typeof value === 'string' ? cut(value, mostText) : value] as const)
  const note = {
    atMs: Math.round(clock.now()),
    text: cut(maskText(text), mostText),
    details: Object.fromEntries(shown),
  }
  delivery.notes = [...(delivery.notes ?? []), note].slice(-mostNotes)
}
