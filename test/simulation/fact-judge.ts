import type { Commit, EffectChange, EffectChangeResult, NotedFact, StoryFact } from '@millrace/processor'
import { demand } from './story.ts'

const told = 'guarantee 13, everything can be explained'

/** What is to be told of events: facts that came true with commits and confirmations, and nothing else. */
export class FactJudge {
  readonly #facts = new Map<number, StoryFact[]>()

  committed({ facts = [] }: Commit): void {
    for (const one of facts) this.#add(one)
  }

  changed(changes: readonly EffectChange[], results: readonly EffectChangeResult[]): void {
    for (const [at, { fact }] of changes.entries()) if (fact && results[at] === 'moved') this.#add(fact)
  }

  #add({ seq, fact }: NotedFact): void {
    this.#facts.set(seq, [...(this.#facts.get(seq) ?? []), fact])
  }

  /** Rulings are left out: the store says their time. */
  read(stored: ReadonlyMap<number, readonly StoryFact[]>): void {
    for (const seq of new Set([...stored.keys(), ...this.#facts.keys()])) {
      const said = (facts: readonly StoryFact[] = []) =>
        facts.filter(({ what }) => what !== 'ruled').map(({ what, atMs }) => `${what} at ${atMs}`)
      const [found, expected] = [said(stored.get(seq)), said(this.#facts.get(seq))]
      demand(
        found.join() === expected.join(),
        told,
        () => `of event ${seq} is told: ${found.join()}; true was: ${expected.join()}`,
      )
    }
  }
}
