import { checkEffectChanges, type EffectChange, type EffectChangeResult } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'

/** Says what has become of effects; may be repeated. */
export async function confirmEffects(
  { redis, scripts, names }: GroupPlace,
  token: string,
  changes: readonly EffectChange[],
  remembered: number,
): Promise<'fenced' | readonly EffectChangeResult[]> {
  checkEffectChanges(changes)
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
  const reply = (await scripts.confirm.run(redis, keys, [token, JSON.stringify(list), remembered])) as
    | readonly ['fenced']
    | readonly ['changed', ...(readonly EffectChangeResult[])]
  if (reply[0] === 'fenced') return 'fenced'
  const [, ...results] = reply
  return results
}
