import { checkFacts, type NotedFact, type SettledMark, storyBounds } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'

/** What a script is told of facts, as `story-facts.lua` describes it. */
export interface StoryHeader {
  readonly at: number
  readonly now?: number
  readonly facts?: readonly (readonly [seq: number, fact: string])[]
  readonly bytes?: number
  readonly stories?: number
  readonly kept?: number
  readonly mark?: readonly [seq: number, text: string, anyway: 0 | 1]
  readonly marks?: number
}

/** What a call notes of events, beside what it does to them. */
export interface ToNote {
  readonly facts?: readonly NotedFact[] | undefined
  /** With the commit's position and number: when it was made, and by whom. */
  readonly mark?: (SettledMark & { readonly seq: number; readonly n: number }) | undefined
}

/** The part of a call that notes facts, and the keys that it needs behind `taken` others. */
export interface StoryPart {
  readonly keys: readonly string[]
  readonly header: StoryHeader
}

/**
 * What a call is to note. Undefined where there is nothing: with ephemeral groups and generations that are built, nothing
 * ever is.
 */
export function storyPart(
  place: GroupPlace,
  taken: number,
  { facts = [], mark }: ToNote,
): StoryPart | undefined {
  checkFacts(facts)
  if (facts.length === 0 && mark === undefined) return undefined
  const told = facts.map(({ seq, fact }): [number, string] => [seq, JSON.stringify(fact)])
  const part = partOf(place, taken, told)
  if (part === undefined || mark === undefined) return part
  return { ...part, header: { ...part.header, mark: markOf(mark), marks: storyBounds.marks } }
}

/** A fact about an event that the script completes itself: with the time, and where the event was. */
export function storyOfRuling(
  place: GroupPlace,
  taken: number,
  { seq, ...ruling }: { seq: number; kind: string; by: string; reason: string; id: string },
): StoryPart | undefined {
  return partOf(place, taken, [[seq, JSON.stringify({ what: 'ruled', ...ruling })]])
}

function partOf(
  { keys, at, expireMs, now: nowOf }: GroupPlace,
  taken: number,
  facts: readonly (readonly [number, string])[],
): StoryPart | undefined {
  if (expireMs !== undefined || (at.generation ?? 0) > 0) return undefined
  const { facts: story, times, marks } = keys.story(at.topic, at.partition, at.group)
  const now = nowOf()
  const { bytes, stories, keptMs } = storyBounds
  return {
    keys: [story, times, marks],
    header: {
      at: taken + 1,
      ...(now === undefined ? {} : { now }),
      ...(facts.length === 0 ? {} : { facts, bytes, stories, kept: keptMs }),
    },
  }
}

function markOf({ seq, atMs, n, member, anyway }: NonNullable<ToNote['mark']>): [number, string, 0 | 1] {
  return [seq, `${atMs} ${n} ${member}`, anyway ? 1 : 0]
}
