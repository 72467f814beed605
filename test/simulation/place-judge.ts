import type { Commit } from '@millrace/processor'
import type { RuleRequest, RuleResult } from '@millrace/processor'
import type { Asking } from './act.ts'
import { demand } from './story.ts'

const order = 'guarantee 4, order per key'
const once = 'guarantee 5, exactly once'
const kept = 'guarantee 8, nothing disappears'

/** Where an event is, as far as the group is concerned. `late`: a dead letter that was put back. */
export type Place = 'unsettled' | 'parked' | 'deferred' | 'dead' | 'late' | 'done'

/** What a commit has brought to its end, by key. */
export type Finished = ReadonlyMap<string, readonly number[]>

/** Follows each event from the log to its end: what commits and rulings may make of it, and what not. */
export class PlaceJudge {
  readonly askings = new Map<number, Asking>()
  readonly places = new Map<number, Place>()
  /** Head and line of each parked key. */
  readonly lines = new Map<string, readonly number[]>()
  readonly deferred = new Map<string, readonly number[]>()

  appended(asking: Asking): void {
    this.askings.set(asking.seq, asking)
    this.places.set(asking.seq, 'unsettled')
  }

  /**
   * Moves what a commit moves; answers what is done by it.
   *
   * @param left Newly settled, in order: they have left the unsettled.
   * @param behind Whether an event is settled with this commit, or none of the group's.
   */
  apply(commit: Commit, left: readonly number[], behind: (seq: number) => boolean): Finished {
    for (const seq of left) this.#inOrder(seq, behind)
    const done = new Map<string, number[]>()
    const finish = (seq: number) => {
      const place: Place = commit.dead.some((letter) => letter.seq === seq) ? 'dead' : 'done'
      const { key } = this.asking(seq)
      if (place === 'done') done.set(key, [...(done.get(key) ?? []), seq])
      this.#move(seq, place)
    }
    this.#applyLate(commit, finish)
    this.#applyLines(commit, left, finish)
    this.#applyDeferred(commit, finish)
    for (const seq of left) if (this.places.get(seq) === 'unsettled') finish(seq)
    return done
  }

  /** An operator has decided: what it says of the event is so. */
  ruled({ seq, key, kind, force }: RuleRequest, result: RuleResult, settledTo: number): void {
    if (result.status !== 'ruled') return
    const place = this.places.get(seq)
    const line = this.lines.get(key) ?? []
    const on = place === 'dead' ? 'dead' : line[0] === seq ? 'head' : line.includes(seq) ? 'line' : 'nowhere'
    demand(on === result.on, kept, () => `a ruling on event ${seq}, which is ${on}, says ${result.on}`)
    if (on !== 'dead') return
    const later = [...this.askings.values()].some(
      (asking) => asking.key === key && asking.seq > seq && asking.seq <= settledTo,
    )
    demand(
      force === true || kind === 'ignored' || !later,
      order,
      () => `event ${seq} of ${key} is put back although later ones are settled, and nobody forced it`,
    )
    this.places.set(seq, kind === 'ignored' ? 'done' : 'late')
  }

  /** How many events beyond the beginning are where. */
  counts(base: number): Readonly<Record<Place, number>> {
    const counts = { unsettled: 0, parked: 0, deferred: 0, dead: 0, late: 0, done: 0 }
    for (const [seq, place] of this.places) if (seq > base) counts[place] += 1
    return counts
  }

  asking(seq: number): Asking {
    const found = this.askings.get(seq)
    demand(found !== undefined, kept, () => `event ${seq} was settled and never appended`)
    return found
  }

  /** Of one key nothing may be settled before what is earlier. */
  #inOrder(seq: number, behind: (seq: number) => boolean): void {
    const { key } = this.asking(seq)
    for (const [earlier, asking] of this.askings)
      demand(
        earlier >= seq || asking.key !== key || behind(earlier),
        order,
        () => `event ${seq} of key ${key} was settled before event ${earlier}`,
      )
  }

  #applyLate(commit: Commit, finish: (seq: number) => void): void {
    const ran = new Set(commit.lateRuns?.map(({ seq }) => seq))
    for (const seq of commit.late ?? []) {
      demand(
        this.places.get(seq) === 'late',
        once,
        () => `event ${seq} was settled late and is ${this.places.get(seq)}`,
      )
      finish(seq)
      demand(
        ran.has(seq) === (this.places.get(seq) === 'done'),
        once,
        () => `of the late run of event ${seq} the commit says another end`,
      )
    }
  }

  #applyLines(commit: Commit, left: readonly number[], finish: (seq: number) => void): void {
    const grown = (commit.lines ?? []).map((one) => ({ ...one, head: this.lines.get(one.key)?.[0] ?? 0 }))
    for (const { key, head, last, lined } of [...(commit.parks ?? []), ...grown]) {
      const before = this.lines.get(key) ?? []
      const fresh = left.filter((seq) => this.asking(seq).key === key && seq >= head && seq <= last)
      const line = [...before.filter((seq) => seq >= head), ...fresh]
      demand(
        line[0] === head && line.at(-1) === last && line.length === lined + 1,
        order,
        () => `key ${key} is parked with ${line.join()}, its record says ${head} to ${last} and ${lined}`,
      )
      for (const seq of before) if (seq < head) this.#leave(seq, commit, finish)
      for (const seq of fresh) this.#move(seq, 'parked')
      this.lines.set(key, line)
    }
    for (const { key } of commit.unparks ?? []) {
      for (const seq of this.lines.get(key) ?? []) this.#leave(seq, commit, finish)
      this.lines.delete(key)
    }
  }

  /** What leaves a line is done, dead, or deferred now. */
  #leave(seq: number, commit: Commit, finish: (seq: number) => void): void {
    const { key } = this.asking(seq)
    const list = commit.defers?.find((one) => one.key === key)
    if (!list?.events.some((event) => event.seq === seq)) finish(seq)
  }

  #applyDeferred(commit: Commit, finish: (seq: number) => void): void {
    for (const { key, events } of commit.defers ?? []) {
      const seqs = events.map(({ seq }) => seq)
      for (const seq of this.deferred.get(key) ?? []) if (!seqs.includes(seq)) finish(seq)
      for (const seq of seqs) if (this.places.get(seq) !== 'deferred') this.#move(seq, 'deferred')
      this.deferred.set(key, seqs)
    }
  }

  #move(seq: number, to: Place): void {
    const from = this.places.get(seq)
    const open = from === 'unsettled' || from === 'parked' || from === 'deferred' || from === 'late'
    demand(open, once, () => `event ${seq} is ${from} and became ${to}`)
    this.places.set(seq, to)
  }
}
