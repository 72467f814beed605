import { checkEffectChanges, type EffectChange, type EffectChangeResult } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { storyPart } from './story-header.ts'

/** Says what has become of effects; may be repeated. */
export async function confirmEffects(
  place: GroupPlace,
  token: string,
  changes: readonly EffectChange[],
  remembered: number,
): Promise<'fenced' | readonly EffectChangeResult[]> {
  checkEffectChanges(changes)
  const { redis, scripts, names } = place
  const keys = [
    names.group,
    names.effects,
    names.effectsPending,
    names.effectsParked,
    names.effectsDead,
    names.effectsSettled,
    names.effectsIndex,
    names.effectsPassed,
    names.effectsRequeued,
  ]
  const list = changes.map(({ idempotencyKey, turn, to, note }) => [
    idempotencyKey,
    turn,
    to,
    JSON.stringify(note ?? null),
  ])
  const told = changes.flatMap(({ fact }, at) => (fact ? [{ fact, of: at + 1 }] : []))
  const story = storyPart(
    place,
    keys.length,
    told.map(({ fact }) => fact),
  )
  const storyText = story ? JSON.stringify({ ...story.header, of: told.map(({ of }) => of) }) : ''
  const args = [token, JSON.stringify(list), remembered, storyText]
  const reply = (await scripts.confirm.run(redis, [...keys, ...(story?.keys ?? [])], args)) as
    | readonly ['fenced']
    | readonly ['changed', ...(readonly EffectChangeResult[])]
  if (reply[0] === 'fenced') return 'fenced'
  const [, ...results] = reply
  return results
}
