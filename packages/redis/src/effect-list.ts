import type { Page } from '@millrace/log'
import {
  type DeadEffect,
  deadEffectOf,
  deadEffectPlace,
  effectFits,
  type EffectFilter,
  type PageOptions,
  type RecordedEffect,
} from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { indexPage } from './lex-index.ts'
import { decodeEffect } from './stored-texts.ts'

/** A page of dead effects: found by the narrowest index that the filter allows, then looked at. */
export function deadEffectsPage(
  { redis, names }: GroupPlace,
  { after, limit = 100, filter = {} }: PageOptions & { readonly filter?: EffectFilter },
): Promise<Page<DeadEffect>> {
  const { fromMs, untilMs } = filter
  const index = names.effectsIndex
  return indexPage(
    { redis, index, value: valueOf(filter), fromMs, untilMs, after, limit },
    async (places) => {
      // Numbers are unique: each place has one effect, or none any more.
      const found = await Promise.all(places.map(({ no }) => redis.zrangebyscore(names.effectsDead, no, no)))
      const effects = await effectsNamed({ redis, names }, found.flat())
      return effects
        .filter(({ status }) => status === 'dead')
        .map(deadEffectOf)
        .filter((effect) => effectFits(effect, filter))
    },
    deadEffectPlace,
  )
}

/** Effects that operators have put back, and that are not settled since. */
export async function requeuedEffects(
  { redis, names }: GroupPlace,
  limit: number,
): Promise<readonly RecordedEffect[]> {
  const ids = await redis.zrange(names.effectsRequeued, 0, String(limit - 1))
  return effectsNamed({ redis, names }, ids)
}

/** An effect that is open. */
export async function effectNamed(place: GroupPlace, id: string): Promise<RecordedEffect | undefined> {
  const [effect] = await effectsNamed(place, [id])
  return effect
}

async function effectsNamed(
  { redis, names }: Pick<GroupPlace, 'redis' | 'names'>,
  ids: readonly string[],
): Promise<readonly RecordedEffect[]> {
  if (ids.length === 0) return []
  const texts = await redis.hmget(names.effects, ...ids)
  return texts.flatMap((text, at) => (typeof text === 'string' ? [decodeEffect(ids[at] ?? '', text)] : []))
}

/** What the index is asked for: a key has fewer items than a class, a class fewer than a name. */
function valueOf({ key, reasonClass, name }: EffectFilter): string {
  if (key !== undefined) return `k${key}`
  if (reasonClass !== undefined) return `c${reasonClass}`
  return name === undefined ? 'a' : `n${name}`
}
