import { MillraceError } from '@millrace/event'
import {
  type EffectAction,
  type EffectOutcome,
  EffectRepairer,
  type GroupPartition,
  type RepairOrder,
} from '@millrace/processor'
import { correctionOf } from './correction.ts'
import { effectFilterOf, type EffectFilterOptions } from './effect-filters.ts'
import { partitionsNamed, partitionsToRepair } from './group-partitions.ts'
import { effectFound } from './list-effects.ts'
import type { LogSystem } from './log-system.ts'
import { loadProcessor } from './processor-file.ts'
import type { Surroundings } from './program.ts'
import { orderOf, type OrderOptions } from './repair-order.ts'
import { RepairReport } from './repair-report.ts'

/** Options of every repair of effects. */
export interface EffectRepairOptions extends OrderOptions, EffectFilterOptions {
  /** A TypeScript file that exports the processor whose effects they are. */
  readonly file?: string
  /** Which processor, where the file exports several. */
  readonly processor?: string
}

/**
 * `millrace effects ignore|requeue|edit`: one effect by its idempotency key, or a selection. Without --yes it says what
 * it would do. Exit code 1 when something was not done as ordered.
 */
export async function repairEffects(
  on: LogSystem,
  word: EffectAction['do'],
  idempotencyKey: string | undefined,
  options: EffectRepairOptions,
  around: Surroundings,
): Promise<number> {
  const action: EffectAction =
    word === 'edit' ? { do: word, ...(await correctionOf(options, around)) } : { do: word }
  const order = orderOf(options)
  const repairer = new EffectRepairer({ store: on.groups, ...(await effectsOf(word, options)) })
  const report = new RepairReport<EffectOutcome>(
    options,
    around,
    (outcome) => `${outcome.idempotencyKey} of ${outcome.key ?? '-'}: ${wordsOf(outcome)}`,
  )
  for await (const outcome of steps(on, repairer, { idempotencyKey, action, order, options, around }))
    report.add(outcome)
  return report.end(order, around.signal.aborted)
}

async function effectsOf(word: EffectAction['do'], { file, processor }: EffectRepairOptions) {
  if (word !== 'edit') return {}
  if (file === undefined)
    throw new MillraceError('request.invalid', 'An edit needs --file: the processor whose effects they are')
  const { effects, name } = await loadProcessor(file, processor)
  return { effectsOf: ({ group }: GroupPartition) => (group === name ? effects : undefined) }
}

interface Ordered {
  readonly idempotencyKey: string | undefined
  readonly action: EffectAction
  readonly order: RepairOrder
  readonly options: EffectRepairOptions
  readonly around: Surroundings
}

async function* steps(
  on: LogSystem,
  repairer: EffectRepairer,
  ordered: Ordered,
): AsyncGenerator<EffectOutcome> {
  const { idempotencyKey, action, order, options, around } = ordered
  if (idempotencyKey !== undefined) {
    const places = await settledIn(on, idempotencyKey, options)
    if (places.length > 0) {
      for (const partition of places) yield { partition, idempotencyKey, status: 'settled' }
      return
    }
    const { at, effect } = await effectFound(on, idempotencyKey, options)
    yield await repairer.one(at, effect, action, order)
    return
  }
  const filtered = ['name', 'class', 'key', 'olderThan', 'newerThan'] as const
  if (options.all !== true && filtered.every((name) => options[name] === undefined))
    throw new MillraceError('request.invalid', 'Name an effect, a filter, or --all')
  const filter = effectFilterOf(options, Date.now())
  for (const at of partitionsToRepair(options)) {
    if (around.signal.aborted) return
    yield* repairer.selection(at, filter, action, order, { signal: around.signal })
  }
}

/** The partitions that remember it as carried out or ignored. */
async function settledIn(
  { groups }: LogSystem,
  idempotencyKey: string,
  options: EffectRepairOptions,
): Promise<readonly number[]> {
  const probe = {
    id: 'look',
    idempotencyKey,
    kind: 'ignored',
    by: 'look',
    reason: 'look',
    dryRun: true,
  } as const
  const found: number[] = []
  for (const at of partitionsNamed(options))
    if ((await groups.ruleEffect(at, probe)).status === 'settled') found.push(at.partition)
  return found
}

function wordsOf({ status, overtaken, message }: EffectOutcome): string {
  switch (status) {
    case 'ruled':
    case 'overtaken': {
      if (!overtaken) return status
      const { count, first, last } = overtaken
      const effects = count === 1 ? 'a later effect' : `${count} later effects`
      const told = `${effects} of its key (numbers ${first} to ${last}) overtook it`
      return status === 'ruled' ? `carried out after all: ${told}` : `${told}; add --force to carry it out`
    }
    case 'already':
      return 'was done before'
    case 'changed':
      return 'it has changed meanwhile'
    case 'open':
      return 'it is not dead: its owner carries it out'
    case 'settled':
      return 'carried out or ignored meanwhile'
    case 'gone':
      return 'it is not in the ledger'
    case 'invalid':
      return message ?? status
  }
}
