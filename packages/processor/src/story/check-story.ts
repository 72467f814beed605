import { type NotedFact, storyBounds } from './story-fact.ts'

/** Checks facts as every adapter does before it asks its store. Throws a TypeError: a mistake in code. */
export function checkFacts(facts: readonly NotedFact[]): void {
  if (facts.length > storyBounds.facts) throw new TypeError(`At most ${storyBounds.facts} facts at once`)
  for (const { seq, fact } of facts) {
    if (!(Number.isSafeInteger(seq) && seq >= 1)) throw new TypeError('A fact tells of the seq of an event')
    if (!Number.isSafeInteger(fact.atMs)) throw new TypeError('A fact is of a whole number of ms')
  }
}

/** Checks how much is asked for at once. */
export function checkAsked(asked: readonly unknown[]): void {
  if (asked.length > 1_000) throw new TypeError('At most 1,000 stories can be asked for at once')
}
