import { maskText } from '@millrace/event'
import type { Commit } from '../commit.ts'
import type { EffectChange, EffectChangeResult } from '../effect-ledger.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { MemoryGroup } from '../memory-group.ts'
import {
  type NotedFact,
  type RuledFact,
  type SettledSpan,
  storyBounds,
  type StoryFact,
} from './story-fact.ts'

/** How much is forgotten at a time, as on Redis. */
const mostForgotten = 1_000

/** What is told of an event. */
interface Story {
  readonly seq: number
  /** JSON, a line each. */
  readonly text: string
  readonly atMs: number
}

/** The facts of one group's side of a partition, in memory. */
export class MemoryStories {
  readonly #stories = new Map<number, Story>()
  /** The same, what is forgotten first in front: kept in order, as sorting them for each commit takes longer than the rest of it. */
  readonly #inOrder: Story[] = []
  readonly #marks: { readonly seq: number; readonly atMs: number; readonly member: string }[] = []

  note(facts: readonly NotedFact[], nowMs: number): void {
    if (facts.length === 0) return
    const texts = new Map<number, string>()
    for (const { seq, fact } of facts) {
      const before = texts.get(seq) ?? this.#stories.get(seq)?.text
      const text = JSON.stringify(fact)
      texts.set(seq, before === undefined ? text : `${before}\n${text}`)
    }
    for (const [seq, text] of texts) this.#set({ seq, text: bounded(text), atMs: nowMs })
    this.#forget(nowMs)
  }

  mark(seq: number, atMs: number, member: string): void {
    this.#marks.push({ seq, atMs, member })
    this.#marks.splice(0, this.#marks.length - storyBounds.marks)
  }

  of(seq: number): readonly StoryFact[] | undefined {
    return this.#stories
      .get(seq)
      ?.text.split('\n')
      .map((line) => JSON.parse(line) as StoryFact)
  }

  spanOf(seq: number): SettledSpan | undefined {
    const by = this.#marks.find((mark) => mark.seq >= seq)
    if (by === undefined) return undefined
    const after = this.#marks.findLast((mark) => mark.seq < seq)
    return {
      after: after && { atMs: after.atMs, member: after.member },
      by: { atMs: by.atMs, member: by.member },
    }
  }

  #set(story: Story): void {
    const before = this.#stories.get(story.seq)
    if (before) this.#inOrder.splice(this.#placeOf(before), 1)
    this.#stories.set(story.seq, story)
    this.#inOrder.splice(this.#placeOf(story), 0, story)
  }

  /** Where a story stands, or would. */
  #placeOf(story: Story): number {
    let [from, end] = [0, this.#inOrder.length]
    while (from < end) {
      const middle = (from + end) >>> 1
      if (isBefore(this.#inOrder[middle] as Story, story)) from = middle + 1
      else end = middle
    }
    return from
  }

  #forget(nowMs: number): void {
    const all = this.#inOrder
    let gone = 0
    while (gone < mostForgotten && (all[gone]?.atMs ?? nowMs) < nowMs - storyBounds.keptMs) gone += 1
    if (gone === 0) gone = Math.max(0, all.length - storyBounds.stories)
    for (const { seq } of all.splice(0, gone)) this.#stories.delete(seq)
  }
}

// As Redis sorts them.
function isBefore(a: Story, b: Story): boolean {
  return a.atMs === b.atMs ? String(a.seq) < String(b.seq) : a.atMs < b.atMs
}

/** The last whole facts that fit. */
function bounded(text: string): string {
  const bytes = Buffer.from(text)
  const beyond = bytes.length - storyBounds.bytes
  return beyond <= 0 ? text : bytes.subarray(bytes.indexOf('\n', beyond - 1) + 1).toString()
}

/** Notes what a commit tells, in the step that makes it true. Of what is not the live, lasting group nothing is kept. */
export function noteCommit(
  { stories }: MemoryGroup,
  { generation = 0, expireMs }: GroupPartition,
  { facts = [], settled, position, ahead }: Commit,
  given: { readonly nowMs: number; readonly tip: number },
): void {
  if (generation > 0 || expireMs !== undefined) return
  stories.note(facts, given.nowMs)
  if (settled && (settled.anyway || position.seq + ahead.length >= given.tip))
    stories.mark(position.seq, settled.atMs, settled.member)
}

/** Notes a ruling. */
export function tellRuling(
  { stories, expiresAtMs }: MemoryGroup,
  ruling: Omit<RuledFact, 'what'> & { readonly seq: number; readonly atMs: number },
): void {
  const { seq, atMs, kind, on, id } = ruling
  if (seq < 1 || Number.isFinite(expiresAtMs)) return
  const [by, reason] = [maskText(ruling.by), maskText(ruling.reason)]
  stories.note([{ seq, fact: { what: 'ruled', atMs, kind, on, by, reason, id } }], atMs)
}

/** Notes what became of effects: of those changes that were made. */
export function tellChanges(
  { stories, expiresAtMs }: MemoryGroup,
  changes: readonly EffectChange[],
  results: readonly EffectChangeResult[],
): void {
  if (Number.isFinite(expiresAtMs)) return
  const made = changes.flatMap(({ fact }, at) => (results[at] === 'moved' && fact ? [fact] : []))
  stories.note(made, made.at(-1)?.fact.atMs ?? 0)
}
