import { MillraceError } from '@millrace/event'
import { parsePosition } from '@millrace/log'
import {
  type GroupPartition,
  Repairer,
  type RepairAction,
  type RepairOrder,
  type RepairOutcome,
  targetOfItem,
} from '@millrace/processor'
import { correctionOf } from './correction.ts'
import { filterOf, type FilterOptions } from './dead-filters.ts'
import { partitionsNamed, partitionsToRepair } from './group-partitions.ts'
import type { LogSystem } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { orderOf, type OrderOptions } from './repair-order.ts'
import { RepairReport } from './repair-report.ts'
import { loadSources } from './sources-file.ts'
import { itemAt } from './show-dead.ts'
import { progressOn } from './terminal.ts'

/** Options of every repair. */
export interface RepairOptions extends OrderOptions, FilterOptions {
  /** A TypeScript file that exports `sources`. */
  readonly sources?: string
}

/** What a command says: the word of the action, and whether it is about whole keys. */
export interface RepairWords {
  readonly action: RepairAction['do']
  readonly whole: boolean
}

/**
 * `millrace dead ignore|requeue|edit|refetch` and the same of `millrace parked`: one event by its position, a key, or
 * a selection. Without --yes it says what it would do. Exit code 1 when something was not done as ordered.
 */
export async function repairDead(
  on: LogSystem,
  words: RepairWords,
  position: string | undefined,
  options: RepairOptions,
  around: Surroundings,
): Promise<number> {
  const action = await actionOf(words.action, options, around)
  const order = orderOf(options)
  const sources = options.sources === undefined ? undefined : await loadSources(options.sources)
  const places = placesOf(position, options)
  const topics = new Set(places.map(({ topic }) => topic.name))
  const repairer = new Repairer({
    store: on.groups,
    log: on.log,
    ...(sources ? { sources: Object.fromEntries([...topics].map((topic) => [topic, sources])) } : {}),
  })
  const report = new RepairReport<RepairOutcome>(
    options,
    around,
    (outcome) => `${outcome.partition}/${outcome.seq} of ${outcome.key}: ${wordsOf(outcome)}`,
  )
  const progress = progressOn(around, 'Repairing')
  let done = 0
  let total: number | undefined
  try {
    for await (const outcome of steps(on, repairer, {
      words,
      position,
      places,
      action,
      order,
      options,
      around,
    })) {
      total ??= await mostOf(on, places)
      done += 1
      if (done % 100 === 0) progress.update(done, Math.max(total, done))
      report.add(outcome)
    }
  } finally {
    progress.end()
  }
  return report.end(order, around.signal.aborted)
}

/**
 * Where is repaired: a position says it, a selection is told.
 *
 * @throws MillraceError `position.invalid`, `topic.unknown`, `group.unknown`, `request.invalid`
 */
function placesOf(position: string | undefined, options: RepairOptions): readonly GroupPartition[] {
  if (position !== undefined) {
    const { topic, partition } = parsePosition(position)
    return partitionsNamed({
      topic,
      partition,
      ...(options.group === undefined ? {} : { group: options.group }),
    })
  }
  const filtered = ['class', 'type', 'key', 'olderThan', 'newerThan'] as const
  if (options.all !== true && filtered.every((name) => options[name] === undefined))
    throw new MillraceError('request.invalid', 'Name a position, a filter, or --all')
  return partitionsToRepair(options)
}

/** How many there may be: all of the partitions, whatever the filter says. */
async function mostOf({ groups }: LogSystem, places: readonly GroupPartition[]): Promise<number> {
  let sum = 0
  for (const at of places) {
    const { dead, held } = await groups.deadCounts(at)
    sum += dead + held
  }
  return sum
}

interface Ordered {
  readonly words: RepairWords
  readonly position: string | undefined
  readonly places: readonly GroupPartition[]
  readonly action: RepairAction
  readonly order: RepairOrder
  readonly options: RepairOptions
  readonly around: Surroundings
}

async function* steps(on: LogSystem, repairer: Repairer, ordered: Ordered): AsyncGenerator<RepairOutcome> {
  const { words, position, places, action, order, options, around } = ordered
  const { signal } = around
  if (position !== undefined) {
    const { at, item } = await itemAt(on, position, options.group)
    yield await repairer.event(at, targetOfItem(item), action, order, signal)
    return
  }
  if (words.whole && options.key !== undefined) {
    for (const at of await holding(on, places, options.key))
      yield* repairer.key(at, options.key, action, order, signal)
    return
  }
  const status = words.whole ? 'held' : options.status
  const filter = filterOf({ ...options, ...(status === undefined ? {} : { status }) }, Date.now())
  for (const at of places) {
    if (signal.aborted) return
    yield* repairer.selection(at, filter, action, order, { signal })
  }
}

/** The partitions in which a key is parked. */
async function holding(
  { groups }: LogSystem,
  places: readonly GroupPartition[],
  key: string,
): Promise<readonly GroupPartition[]> {
  const found: GroupPartition[] = []
  for (const at of places) if ((await groups.loadStates(at, [key]))[0]?.parked) found.push(at)
  if (found.length === 0) throw new MillraceError('repair.gone', `The key ${key} is not parked`)
  return found
}

async function actionOf(
  word: RepairAction['do'],
  options: RepairOptions,
  around: Surroundings,
): Promise<RepairAction> {
  return word === 'edit' ? { do: word, ...(await correctionOf(options, around)) } : { do: word }
}

function wordsOf({ status, overtaken, message }: RepairOutcome): string {
  switch (status) {
    case 'ruled':
    case 'overtaken': {
      if (!overtaken) return status
      const { count, first, last } = overtaken
      const events = count === 1 ? 'a later event' : `${count} later events`
      const said = `${events} of its key (${first} to ${last}) overtook it`
      return status === 'ruled' ? `runs late: ${said}` : `${said}; add --force to run it late`
    }
    case 'gone':
      return 'settled or repaired meanwhile'
    case 'changed':
      return 'the key has another head by now'
    case 'pending':
      return 'waits for its late run under another ruling'
    case 'already':
      return 'was done before'
    case 'invalid':
    case 'failed':
      return message ?? status
  }
}
