import { checkFacts, type Commit, type NotedFact, storyBounds } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'

/** What a script is told of facts, as `story-facts.lua` describes it. */
export interface StoryHeader {
  readonly at: number
  readonly now?: number
  readonly facts: readonly (readonly [seq: number, fact: string])[]
  readonly bytes: number
  readonly stories: number
  readonly kept: number
}

/** What a script is told of a mark, as `story-marks.lua` describes it. */
export type MarkHeader = readonly [at: number, text: string, anyway: 0 | 1, kept: number]

/** The part of a call that notes something, and the keys that it needs behind `taken` others. */
export interface StoryPart<Header> {
  readonly keys: readonly string[]
  readonly header: Header
}

/** The facts of a call; undefined where there are none. */
export function storyPart(
  place: GroupPlace,
  taken: number,
  facts: readonly NotedFact[] = [],
): StoryPart<StoryHeader> | undefined {
  checkFacts(facts)
  if (facts.length === 0) return undefined
  return partOf(
    place,
    taken,
    facts.map(({ seq, fact }) => [seq, JSON.stringify(fact)]),
  )
}

/** The mark of a commit; undefined where it has none. */
export function markPart(
  place: GroupPlace,
  taken: number,
  { settled, n }: Pick<Commit, 'settled' | 'n'>,
): StoryPart<MarkHeader> | undefined {
  if (settled === undefined || isPassing(place)) return undefined
  const { keys, at } = place
  const { atMs, member, anyway } = settled
  return {
    keys: [keys.story(at.topic, at.partition, at.group).marks],
    header: [taken + 1, `${atMs} ${n} ${member}`, anyway ? 1 : 0, storyBounds.marks],
  }
}

/** A fact about an event that the script completes itself: with the time, and where the event was. */
export function storyOfRuling(
  place: GroupPlace,
  taken: number,
  { seq, ...ruling }: { seq: number; kind: string; by: string; reason: string; id: string },
): StoryPart<StoryHeader> | undefined {
  return partOf(place, taken, [[seq, JSON.stringify({ what: 'ruled', ...ruling })]])
}

function partOf(
  place: GroupPlace,
  taken: number,
  facts: readonly (readonly [number, string])[],
): StoryPart<StoryHeader> | undefined {
  if (isPassing(place)) return undefined
  const { keys, at } = place
  const { facts: story, times } = keys.story(at.topic, at.partition, at.group)
  const now = place.now()
  const { bytes, stories, keptMs } = storyBounds
  const timed = now === undefined ? {} : { now }
  return { keys: [story, times], header: { at: taken + 1, ...timed, facts, bytes, stories, kept: keptMs } }
}

/** Of ephemeral groups, and generations that are built, nothing is kept. */
function isPassing({ expireMs, at }: GroupPlace): boolean {
  return expireMs !== undefined || (at.generation ?? 0) > 0
}
