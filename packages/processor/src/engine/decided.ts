import { MillraceError } from '@millrace/event'
import { type DeadLetter, deadLetterOf } from '../dead-letter.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { Fate } from './fate.ts'
import { scopeOfRecord, toldAbout } from './told-about.ts'

/** The dead letter of an event that was given up: by the engine, which says why, or by its program. */
export function letterOf(
  delivery: Delivery,
  decided: Fate | undefined,
  atMs: number,
): DeadLetter | undefined {
  const { recorded, attempt } = delivery
  if (recorded === undefined) return undefined
  const fate = decided?.outcome === 'dead' ? decided : undefined
  return deadLetterOf(recorded, fate?.error ?? givenUp(delivery), {
    attempts: attempt,
    atMs,
    spent: fate?.spent ?? false,
    tries: fate?.tries ?? [],
  })
}

function givenUp({ why, unmet }: Delivery): MillraceError {
  return unmet
    ? new MillraceError('event.unmet', `Its type does not wait: ${why ?? ''}`, { details: { why } })
    : new MillraceError('event.given-up', why)
}

/** Tells what a commit is to give up and to leave out. */
export function tellDecided(
  { tell }: EngineSettings,
  partition: number,
  { dead, ignored }: { readonly dead: readonly DeadLetter[]; readonly ignored: readonly Delivery[] },
): void {
  for (const letter of dead) toldAbout(scopeOfRecord(letter), () => tell({ kind: 'dead', partition, letter }))
  for (const delivery of ignored) {
    const { key, recorded, why = '' } = delivery
    if (recorded === undefined) continue
    const [{ type }, { seq }] = [recorded.event, recorded.position]
    toldAbout(delivery, () => tell({ kind: 'ignored', partition, key, seq, type, why }))
  }
}
