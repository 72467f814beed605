import type { DeferredEvent, JournalledFiring, MigratedKey, Ruling, StoredKey } from '@millrace/processor'
import { type Act, type Asking, type Folded, folded, foldedFiring, nothingFolded } from '../act.ts'

/** What the live generation says of one key: its lists, its letters, its journal. */
export interface KeyDecisions {
  readonly stored: StoredKey
  /** Its events on the log, in order. */
  readonly events: readonly Asking[]
  /** Events that are dead, or wait for their late run. */
  readonly letters: ReadonlySet<number>
  readonly rulings: ReadonlyMap<number, Ruling>
  readonly firings: readonly JournalledFiring[]
  readonly migration: MigratedKey | undefined
}

/** What a key's history comes to. */
interface HistoryFold {
  readonly state: Folded
  /** Of the last event that was folded; 0: none was. */
  readonly seq: number
  /** When its timer is due, if it has one. */
  readonly dueMs: number | undefined
  /** What the live generation has not handled. */
  readonly out: readonly DeferredEvent[]
}

/**
 * Folds all of a key's events that are settled, as the live generation has recorded it: without what is parked, deferred,
 * dead or ignored, as operators have ruled, with late runs and firings where the journal says.
 */
export function foldHistory(of: KeyDecisions, settled: (seq: number) => boolean): HistoryFold {
  const fold = new Folding(of.migration)
  const out: DeferredEvent[] = []
  const within = of.events.filter(({ seq }) => settled(seq))
  for (const asking of within) {
    const { seq, id, event } = asking
    const ruling = of.rulings.get(seq)
    const isOut = isLeftOut(of, seq)
    if (isOut) out.push({ seq, id, type: event.type, eventId: event.id, why: 'left out', sinceMs: 0 })
    else if (ruling?.kind !== 'ignored' && ruling?.ran === undefined) fold.take(asking, actOf(asking, ruling))
    for (const after of behind(of, within, seq)) {
      if ('dueMs' in after) fold.fire(after.dueMs)
      else fold.takeLate(after, actOf(after, of.rulings.get(after.seq)))
    }
  }
  const { state, seq, dueMs } = fold
  return { state, seq, dueMs, out }
}

/** Late runs and firings that came right behind an event, in the order of the journal. */
function behind(
  { rulings, firings }: KeyDecisions,
  events: readonly Asking[],
  seq: number,
): readonly (Asking | JournalledFiring)[] {
  const runs = events.flatMap((asking) => {
    const ran = rulings.get(asking.seq)?.ran
    return ran?.afterSeq === seq ? [[ran.no, asking] as const] : []
  })
  const fired = firings.flatMap((one) => (one.afterSeq === seq ? [[one.no, one] as const] : []))
  return [...runs, ...fired].toSorted(([a], [b]) => a - b).map(([, one]) => one)
}

function isLeftOut({ stored: { parked, deferred }, letters }: KeyDecisions, seq: number): boolean {
  return (
    letters.has(seq) ||
    deferred.some((one) => one.seq === seq) ||
    (parked !== undefined && seq >= parked.head)
  )
}

function actOf({ act }: Asking, ruling: Ruling | undefined): Act {
  return ruling?.kind === 'corrected' ? (ruling.data as Act) : act
}

/** The rules of a member, for what has come to its end: deferred events are handled when the key goes on. */
class Folding {
  state: Folded
  seq = 0
  dueMs: number | undefined
  #waiting: readonly Asking[] = []

  constructor(migration: MigratedKey | undefined) {
    this.state = migration ? (JSON.parse(migration.state) as Folded) : nothingFolded
  }

  take(asking: Asking, act: Act): void {
    if (act.do === 'wait' && !this.state.allowed) {
      this.#waiting = [...this.#waiting, asking]
      return
    }
    this.takeLate(asking, act)
    if (!this.state.allowed) return
    for (const one of this.#waiting) this.takeLate(one, one.act)
    this.#waiting = []
  }

  /** A late run sets nothing free. */
  takeLate(asking: Asking, act: Act): void {
    this.state = folded(this.state, { ...asking, act })
    this.seq = Math.max(this.seq, asking.seq)
    if (act.do === 'timer') this.dueMs = Date.parse(asking.event.time) + act.afterMs
  }

  fire(dueMs: number): void {
    this.state = foldedFiring(this.state, dueMs)
    this.dueMs = undefined
  }
}
