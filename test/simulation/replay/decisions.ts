import type { MigratedKey, Ruling } from '@millrace/processor'
import { type Asking, askingOf } from '../act.ts'
import type { Process } from '../port/network.ts'
import type { World } from '../port/world.ts'
import type { KeyDecisions } from './history-fold.ts'

/** More than any seed has. */
const all = 1_000

/** Reads what the live generation says of keys, call by call: it goes on meanwhile unless it is frozen. */
export async function decisionsOn(
  process: Process,
  world: World,
  keys: readonly string[],
): Promise<readonly KeyDecisions[]> {
  const { store, at } = world
  const read = <T>(what: string, act: () => Promise<T>) => process.call(what, act, 'log.unavailable')
  const histories = new Map<string, readonly Asking[]>()
  for (const key of keys) {
    const { events } = await read('readKey', () => world.log.readKey(at.topic, key))
    histories.set(key, events.map(askingOf))
  }
  const seqs = [...histories.values()].flatMap((events) => events.map(({ seq }) => seq))
  const stored = await read('loadStates', () => store.loadStates(at, keys))
  const dead = await read('deadLetters', () => store.deadLetters(at, { limit: all }))
  const { items } = await read('requeued', () => store.requeued(at, { limit: all }))
  const rulings: ReadonlyMap<number, Ruling> = await read('rulings', () => store.rulings(at, seqs))
  const firings = await read('firings', () => store.firings(at, { limit: all }))
  const migrations: ReadonlyMap<string, MigratedKey> = await read('migrations', () =>
    store.migrations(at, keys),
  )
  const letters = new Set([...dead, ...items].map(({ seq }) => seq))
  return stored.map((one) => ({
    stored: one,
    events: histories.get(one.key) ?? [],
    ...{ letters, rulings },
    firings: firings.items.filter(({ key }) => key === one.key),
    migration: migrations.get(one.key),
  }))
}
