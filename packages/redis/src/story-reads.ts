import { checkAsked, type RecordedEffect, type SettledSpan, type StoryFact } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { decodeEffect } from './stored-texts.ts'

/** The facts of events, by seq: one command. */
export async function factsOfEvents(
  { redis, keys, at }: GroupPlace,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, readonly StoryFact[]>> {
  checkAsked(seqs)
  const found = new Map<number, readonly StoryFact[]>()
  if (seqs.length === 0) return found
  const texts = await redis.hmget(keys.story(at.topic, at.partition, at.group).facts, ...seqs.map(String))
  for (const [place, seq] of seqs.entries()) {
    const text = texts[place]
    if (typeof text === 'string')
      found.set(
        seq,
        text.split('\n').map((line) => JSON.parse(line) as StoryFact),
      )
  }
  return found
}

/** Between which marked commits events were settled: two commands each, sent together. */
export async function spansOfEvents(
  { redis, keys, at }: GroupPlace,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, SettledSpan>> {
  checkAsked(seqs)
  const { marks } = keys.story(at.topic, at.partition, at.group)
  const spans = await Promise.all(
    seqs.map(async (seq) => {
      const [[by], [after]] = await Promise.all([
        redis.zrangebyscore(marks, seq, '+inf', 'LIMIT', 0, 1),
        redis.zrevrangebyscore(marks, `(${seq}`, '-inf', 'LIMIT', 0, 1),
      ])
      return by === undefined ? undefined : { after: markOf(after), by: markOf(by) ?? nobody }
    }),
  )
  return new Map(seqs.flatMap((seq, place) => (spans[place] ? [[seq, spans[place]]] : [])))
}

const nobody = { atMs: 0, member: '' }

// "<ms> <number of the commit> <member>"
function markOf(text: string | undefined) {
  const [, atMs = '', member = ''] = /^(\d+) \d+ (.*)$/.exec(text ?? '') ?? []
  return atMs === '' ? undefined : { atMs: Number(atMs), member }
}

/** Effects that are open, by idempotency key: one command. */
export async function effectsNamed(
  { redis, names }: GroupPlace,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RecordedEffect>> {
  checkAsked(ids)
  const found = new Map<string, RecordedEffect>()
  if (ids.length === 0) return found
  const texts = await redis.hmget(names.effects, ...ids)
  for (const [place, id] of ids.entries()) {
    const text = texts[place]
    if (typeof text === 'string') found.set(id, decodeEffect(id, text))
  }
  return found
}
