import type { Commit, MigratedKey } from '@millrace/processor'
import { type Act, type Asking, type Folded, nothingFolded } from './act.ts'
import type { Finished } from './place-judge.ts'
import type { Reading } from './reading.ts'
import { demand } from './story.ts'

const order = 'guarantee 4, order per key'
const once = 'guarantee 5, exactly once'

/** What an event asked for when it was handled; `ignored`: it was not. */
export type ActOf = (seq: number) => Act | 'ignored'

/** Holds states, and what came of folding them, against the events that were done. */
export class FoldJudge {
  readonly #reading: Reading
  readonly #states = new Map<string, Folded>()
  /** Keys that were taken over from another system, with what they began with. */
  readonly migrated = new Map<string, Folded>()

  constructor(reading: Reading) {
    this.#reading = reading
  }

  hasState(key: string): boolean {
    return this.#states.has(key)
  }

  get states(): ReadonlyMap<string, Folded> {
    return this.#states
  }

  /** Another generation is the live one: each key has the state that it has folded. */
  replaced(states: ReadonlyMap<string, Folded>): void {
    this.#states.clear()
    for (const [key, state] of states) this.#states.set(key, state)
  }

  takenOver({ key, state }: MigratedKey): void {
    demand(!this.migrated.has(key), once, () => `${key} was taken over twice`)
    demand(!this.#states.has(key), once, () => `${key} was taken over and had a state`)
    this.migrated.set(key, JSON.parse(state) as Folded)
  }

  /** The record of a key is gone: it begins anew with its next event. Answers how many records and entries went. */
  dropped(key: string, history: boolean): { readonly records: number; readonly migrations: number } {
    const records = this.#states.delete(key) ? 1 : 0
    return { records, migrations: history && this.migrated.delete(key) ? 1 : 0 }
  }

  apply(
    commit: Commit,
    finished: Finished,
    askings: ReadonlyMap<number, Asking>,
    actOf: ActOf,
  ): { readonly done: Finished; readonly waits: readonly string[] } {
    for (const one of commit.migrations ?? []) this.takenOver(one)
    const done = new Map<string, readonly number[]>()
    for (const [key, seqs] of finished) {
      const handled = seqs.filter((seq) => actOf(seq) !== 'ignored')
      if (handled.length > 0) done.set(key, handled)
    }
    const named = new Set<string>()
    const waits: string[] = []
    for (const change of commit.states ?? []) {
      if ('removed' in change) continue
      named.add(change.key)
      const fired = this.#change(commit, change, done, askings)
      waits.push(...fired.map((one) => `${change.key}:${one}`))
    }
    for (const [key, seqs] of done)
      demand(named.has(key), once, () => `${seqs.join()} of ${key} are done without a state`)
    return { done, waits }
  }

  /** The state has been folded from just what was done, each event once, those that did not wait in order. */
  #change(
    commit: Commit,
    { key, state }: { readonly key: string; readonly state: string },
    done: Finished,
    askings: ReadonlyMap<number, Asking>,
  ): readonly string[] {
    const before = this.#states.get(key) ?? this.migrated.get(key) ?? nothingFolded
    const after = JSON.parse(state) as Folded
    const news = after.handled.slice(before.handled.length)
    const old = after.handled.slice(0, before.handled.length)
    demand(old.join() === before.handled.join(), once, () => `the state of ${key} has another past`)
    const waits = news.filter((one) => one.startsWith('w'))
    this.#reading.waits(commit, key, waits)
    const expected = [...(done.get(key) ?? []).map(String), ...waits].toSorted()
    demand(
      news.toSorted().join() === expected.join(),
      once,
      () => `the state of ${key} folds ${news.join()}, done were ${expected.join()}`,
    )
    const inTurn = news.filter(
      (one) =>
        !one.startsWith('w') &&
        askings.get(Number(one))?.act.do !== 'wait' &&
        !commit.late?.includes(Number(one)),
    )
    demand(
      inTurn.join() === inTurn.toSorted((a, b) => Number(a) - Number(b)).join(),
      order,
      () => `the state of ${key} folds ${inTurn.join()}`,
    )
    this.#states.set(key, after)
    return waits
  }
}
