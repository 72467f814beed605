import { type DeferredEvent, separators, type StoredKey } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { Script } from './script.ts'
import { decodeDeferred, decodeParked, decodeState } from './stored-texts.ts'

const script = new Script('load-keys.lua')
const none: readonly DeferredEvent[] = []

/** What is stored of keys: state, park record and deferred events, by one call. */
export async function loadKeys(
  { redis, names }: GroupPlace,
  keys: readonly string[],
): Promise<readonly StoredKey[]> {
  if (keys.length > 1_000) throw new TypeError('At most 1,000 keys can be loaded at once')
  if (keys.length === 0) return []
  const text = (await script.run(
    redis,
    [names.states, names.parked, names.deferred],
    [JSON.stringify(keys)],
  )) as string
  const found: StoredKey[] = keys.map((key) => ({ key, state: undefined, parked: undefined, deferred: none }))
  const parts = text.split(separators.field)
  for (let at = 0; at + 4 < parts.length; at += 4) {
    const [place, state = '', parked = '', deferred = ''] = parts.slice(at, at + 4)
    const key = keys[Number(place)] ?? ''
    found[Number(place)] = {
      key,
      state: state === '' ? undefined : decodeState(state),
      parked: parked === '' ? undefined : decodeParked(key, parked),
      deferred: deferred === '' ? none : decodeDeferred(deferred),
    }
  }
  return found
}
