import type { Recorded } from '@millrace/log'
import type { DeferredEvent } from '../deferred-event.ts'

const asideWhy = 'set aside by the program that replays'
const deadWhy = 'given up by the program that replays'

/** Whether the program that replays has decided so, and not the live generation. */
export function isOwn({ why }: Pick<DeferredEvent, 'why'>): boolean {
  return why === asideWhy || why === deadWhy
}

/**
 * Everything of a key that is not folded, in order: what was, what the live generation has not handled, and what its
 * own program sets aside or gives up. The very list that was when nothing has changed.
 */
export function notFolded(
  before: readonly DeferredEvent[],
  out: readonly DeferredEvent[],
  { deferred, dead }: Readonly<Record<'deferred' | 'dead', readonly Recorded[]>>,
): readonly DeferredEvent[] {
  const aside = new Set(deferred.map(({ position }) => position.seq))
  const kept = before.filter(({ seq, why }) => why !== asideWhy || aside.has(seq))
  const known = new Set(kept.map(({ seq }) => seq))
  const fresh = [
    ...out,
    ...deferred.map((recorded) => ownEntry(recorded, asideWhy)),
    ...dead.map((recorded) => ownEntry(recorded, deadWhy)),
  ].filter(({ seq }) => !known.has(seq))
  if (fresh.length === 0 && kept.length === before.length) return before
  return [...kept, ...fresh].toSorted((a, b) => a.seq - b.seq)
}

function ownEntry({ event, position: { id, seq } }: Recorded, why: string): DeferredEvent {
  return { seq, id, type: event.type, eventId: event.id, why, sinceMs: 0 }
}
