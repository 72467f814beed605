import type { GroupStore, MigratedKey, RequeuedEvent, Ruling, StoredKey } from '@millrace/processor'
import { type Asking, askingOf, type Folded } from '../act.ts'
import type { Process } from './network.ts'
import { begun, Slot } from './slot.ts'
import type { World } from './world.ts'

/** Reads what is stored of keys, with all that a member needs to go on with them. */
export async function loadSlots(
  process: Process,
  world: World,
  keys: readonly string[],
  letters: readonly RequeuedEvent[],
): Promise<ReadonlyMap<string, Slot>> {
  if (keys.length === 0) return new Map()
  const { store, at, mostAttempts } = world
  const stored = await process.call('loadStates', () => store.loadStates(at, keys), 'log.unavailable')
  const migrations = await migrationsOf(process, world, stored)
  const histories = await historiesOf(process, world, stored, letters)
  const rulings = await rulingsOf(process, world, stored, histories, letters)
  const slots = new Map<string, Slot>()
  for (const one of stored) {
    const events = histories.get(one.key) ?? []
    const { head = 0, last = 0 } = one.parked ?? {}
    const known = migrations.get(one.key)
    const begins = begun(one) ? undefined : (stateOf(known) ?? world.elsewhere.get(one.key))
    const migration = begins && !known ? world.migrationOf(one.key, begins) : undefined
    const reading = {
      line: events.filter(({ seq }) => seq >= head && seq <= last && isInLine(one, seq)),
      waiting: events.filter(({ seq }) => one.deferred.some((event) => event.seq === seq)),
      ...{ rulings, begins, migration, mostAttempts },
    }
    slots.set(one.key, new Slot(one, reading))
  }
  return slots
}

/** The askings of letters that were put back, as they lie on the log. */
export async function lettersOf(
  process: Process,
  { log, at }: World,
  letters: readonly RequeuedEvent[],
): Promise<readonly Asking[]> {
  const found: Asking[] = []
  for (const { key, seq } of letters) {
    const read = () => log.readKey(at.topic, key)
    const { events } = await process.call('readKey', read, 'log.unavailable')
    found.push(...events.map(askingOf).filter((asking) => asking.seq === seq))
  }
  return found
}

function stateOf(migration: MigratedKey | undefined): Folded | undefined {
  return migration && (JSON.parse(migration.state) as Folded)
}

async function migrationsOf(
  process: Process,
  { store, at, elsewhere }: World,
  stored: readonly StoredKey[],
): Promise<Awaited<ReturnType<GroupStore['migrations']>>> {
  const fresh = stored.flatMap((one) => (!begun(one) && elsewhere.has(one.key) ? [one.key] : []))
  if (fresh.length === 0) return new Map()
  return process.call('migrations', () => store.migrations(at, fresh), 'log.unavailable')
}

async function historiesOf(
  process: Process,
  { log, at }: World,
  stored: readonly StoredKey[],
  letters: readonly RequeuedEvent[],
): Promise<ReadonlyMap<string, readonly Asking[]>> {
  const histories = new Map<string, readonly Asking[]>()
  for (const { key, parked, deferred } of stored) {
    if (!parked && deferred.length === 0 && !letters.some((letter) => letter.key === key)) continue
    const { events } = await process.call('readKey', () => log.readKey(at.topic, key), 'log.unavailable')
    histories.set(key, events.map(askingOf))
  }
  return histories
}

async function rulingsOf(
  process: Process,
  { store, at }: World,
  stored: readonly StoredKey[],
  histories: ReadonlyMap<string, readonly Asking[]>,
  letters: readonly RequeuedEvent[],
): Promise<ReadonlyMap<number, Ruling>> {
  const lines = stored.flatMap(({ key, parked }) =>
    (histories.get(key) ?? []).filter(({ seq }) => parked && seq >= parked.head && seq <= parked.last),
  )
  const seqs = [...lines, ...letters].map(({ seq }) => seq)
  if (seqs.length === 0) return new Map()
  return process.call('rulings', () => store.rulings(at, seqs), 'log.unavailable')
}

/** An event between head and end may have been set aside. */
function isInLine({ deferred }: StoredKey, seq: number): boolean {
  return !deferred.some((event) => event.seq === seq)
}
