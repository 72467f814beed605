import { currentScope, freshId, MillraceError } from '@millrace/event'
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
import { exitCodes } from './exit-codes.ts'
import { partitionsNamed } from './group-partitions.ts'
import type { LogSystem } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { loadSources } from './sources-file.ts'
import { itemAt } from './show-dead.ts'
import { progressOn, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** Options of every repair. */
export interface RepairOptions extends OutputOptions, FilterOptions {
  readonly actor: string
  readonly reason: string
  readonly force?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
  /** Everything that the other options leave over. */
  readonly all?: boolean
  /** Id of an order that broke off: nothing of it is done twice. */
  readonly order?: string
  /** A file with the corrected data, or - for stdin. */
  readonly data?: string
  /** A JSON merge patch. */
  readonly patch?: string
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
  const dryRun = options.dryRun === true || options.yes !== true
  const order: RepairOrder = {
    by: options.actor,
    reason: options.reason,
    force: options.force === true,
    dryRun,
    id: options.order ?? freshId(),
  }
  const sources = options.sources === undefined ? undefined : await loadSources(options.sources)
  const repairer = new Repairer({
    store: on.groups,
    log: on.log,
    ...(sources ? { sources: { [options.topic]: sources } } : {}),
  })
  const tally = new Tally(on, options, around)
  for await (const outcome of steps(on, repairer, { words, position, action, order, options, around }))
    await tally.add(outcome)
  return tally.end(order, around.signal.aborted)
}

interface Ordered {
  readonly words: RepairWords
  readonly position: string | undefined
  readonly action: RepairAction
  readonly order: RepairOrder
  readonly options: RepairOptions
  readonly around: Surroundings
}

async function* steps(on: LogSystem, repairer: Repairer, ordered: Ordered): AsyncGenerator<RepairOutcome> {
  const { words, position, action, order, options, around } = ordered
  const { signal } = around
  if (position !== undefined) {
    const { at, item } = await itemAt(on, position, options.group)
    yield await repairer.event(at, targetOfItem(item), action, order, signal)
    return
  }
  const filtered = ['class', 'type', 'key', 'olderThan', 'newerThan'] as const
  if (options.all !== true && filtered.every((name) => options[name] === undefined))
    throw new MillraceError('request.invalid', 'Name a position, a filter, or --all')
  const places = partitionsNamed(options)
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

/** Counts outcomes, shows how far it is, and says at the end what came about. */
class Tally {
  readonly #on: LogSystem
  readonly #options: RepairOptions
  readonly #terminal: Terminal
  readonly #counts = new Map<string, number>()
  readonly #progress
  #done = 0
  #total: number | undefined

  constructor(on: LogSystem, options: RepairOptions, terminal: Terminal) {
    this.#on = on
    this.#options = options
    this.#terminal = terminal
    this.#progress = progressOn(terminal, 'Repairing')
  }

  async add(outcome: RepairOutcome): Promise<void> {
    this.#total ??= await this.#most()
    this.#done += 1
    if (this.#done % 100 === 0) this.#progress.update(this.#done, Math.max(this.#total, this.#done))
    this.#counts.set(outcome.status, (this.#counts.get(outcome.status) ?? 0) + 1)
    if (this.#options.json) this.#terminal.out.write(`${JSON.stringify(outcome)}\n`)
    else if (outcome.status !== 'ruled' && outcome.status !== 'already')
      this.#terminal.err.write(
        `${outcome.partition}/${outcome.seq} of ${outcome.key}: ${wordsOf(outcome)}.\n`,
      )
    else if (outcome.overtaken)
      this.#terminal.err.write(
        `${outcome.partition}/${outcome.seq} of ${outcome.key}: ${wordsOf(outcome)}.\n`,
      )
  }

  end(order: RepairOrder, aborted: boolean): number {
    this.#progress.end()
    const { err } = this.#terminal
    const counts = [...this.#counts].map(([status, count]) => `${count} ${status}`).join(', ')
    if (this.#done === 0) err.write('There is nothing of that kind.\n')
    else if (order.dryRun) err.write(`Would do: ${counts}. Nothing was done. Add --yes to do it.\n`)
    else err.write(`${counts}. Order ${order.id}. Correlation id ${currentScope()?.correlationId ?? '-'}.\n`)
    if (aborted) {
      err.write(`Stopped. The same command with --order ${order.id} goes on from there.\n`)
      return exitCodes.interrupted
    }
    const well = (this.#counts.get('ruled') ?? 0) + (this.#counts.get('already') ?? 0)
    return well === this.#done ? exitCodes.ok : exitCodes.findings
  }

  /** How many there may be: all of the partitions, whatever the filter says. */
  async #most(): Promise<number> {
    let sum = 0
    for (const at of partitionsNamed(this.#options)) {
      const { dead, held } = await this.#on.groups.deadCounts(at)
      sum += dead + held
    }
    return sum
  }
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
