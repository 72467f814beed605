import { type Command, InvalidArgumentError, Option } from 'commander'
import type { GenerationStore } from '@millrace/processor'
import { connectGroupStore, connectLog, type RedisLog } from '@millrace/redis'
import { duration, wholeNumber } from './option-values.ts'
import type { ProcessorOptions } from './known-processors.ts'
import { reached } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { findSystem } from './running-system.ts'
import { type DifferencesOptions, listDifferences } from './shadow-differences.ts'
import {
  listWithheld,
  type OrderedOptions,
  promoteKeys,
  type PromoteOptions,
  settleWithheld,
  shadowStatus,
} from './shadow-orders.ts'
import { dropState, type DropStateOptions } from './state-drop.ts'

/** What the commands about shadows work on. */
export interface ShadowSystem {
  readonly log: RedisLog
  readonly store: GenerationStore
}

type On = (act: (system: ShadowSystem) => Promise<number>) => Promise<void>

/** Adds `millrace shadow …` and `millrace state drop`. */
export function addShadow(program: Command, around: Surroundings, end: (code: number) => void): void {
  const on: On = async (act) => {
    const url = findSystem(around.env).redisUrl
    const name = 'millrace-cli'
    const log = await reached(connectLog({ url, name, commandTimeoutMs: 30_000 }))
    try {
      const store = await reached(connectGroupStore({ url, name }))
      try {
        end(await act({ log, store }))
      } finally {
        await store.close()
      }
    } finally {
      await log.close()
    }
  }
  const shadow = program
    .command('shadow')
    .description('a group that runs beside the system that it is to replace')
  addLooks(shadow, around, on)
  addOrders(shadow, around, on)
  ordered(program.command('state').description('what groups have folded').command('drop <group>'))
    .description('drop states: each key is folded anew with its next event')
    .option('--key <id>', 'this key; may be said again', several)
    .option('--all', 'all keys')
    .option('--history', 'what was taken over as well: the other system is asked again')
    .action((group: string, options: DropStateOptions) =>
      on((system) => dropState(system, group, options, around)),
    )
}

function addLooks(shadow: Command, around: Surroundings, on: On): void {
  about(shadow.command('differences <group>', { isDefault: true }))
    .description('keys whose states differ from what the other system has; exit code 1 when there are any')
    .option('--key <id>', 'this key alone')
    .option('--limit <n>', 'at most so many; all are counted', wholeNumber, 1_000)
    .addOption(
      new Option('--settle <time>', 'what differs is looked at again after so long')
        .argParser(duration)
        .default(1_000, '1s'),
    )
    .option('--unmasked', 'show states as they are')
    .action((group: string, options: DifferencesOptions) =>
      on((system) => listDifferences(system, group, options, around)),
    )
  about(shadow.command('status <group>'))
    .description('whose effects are carried out, and how many are withheld')
    .action((group: string, options: ProcessorOptions & { json?: boolean }) =>
      on((system) => shadowStatus(system, group, options, around)),
    )
  about(shadow.command('withheld <group>'))
    .description('effects that were recorded and not carried out; the last 10,000 of a partition')
    .option('--key <id>', 'of this key alone')
    .option('--limit <n>', 'at most so many', wholeNumber, 1_000)
    .action((group: string, options: ProcessorOptions & { key?: string; limit: number; json?: boolean }) =>
      on((system) => listWithheld(system, group, options, around)),
    )
}

function addOrders(shadow: Command, around: Surroundings, on: On): void {
  const orders = {
    promote: 'carry out the effects of these keys from now on',
    demote: 'withhold the effects of these keys from now on',
    forget: 'let the percentage decide about these keys again',
  } as const
  for (const what of ['promote', 'demote', 'forget'] as const) {
    const command = ordered(shadow.command(`${what} <group>`))
      .description(orders[what])
      .option('--key <id>', 'this key; may be said again', several)
    if (what !== 'forget')
      command.option('--percent <n>', 'so many of all keys are promoted, from 0 to 100', percent)
    command.action((group: string, options: PromoteOptions) =>
      on((system) => promoteKeys(system, what, group, options, around)),
    )
  }
  const ends = [
    ['release', 'released', 'carry withheld effects out after all'],
    ['ignore', 'ignored', 'forget withheld effects: they are never carried out'],
  ] as const
  for (const [word, to, text] of ends)
    ordered(shadow.command(`${word} <group>`))
      .description(text)
      .requiredOption('--id <id>', 'as `millrace shadow withheld` lists it; may be said again', several)
      .action((group: string, options: OrderedOptions & { id: readonly string[] }) =>
        on((system) => settleWithheld(system, to, group, options, around)),
      )
}

function about(command: Command): Command {
  return command
    .option('--file <file>', 'a TypeScript file that exports the processor. Default: a service of this name')
    .option('--json', 'JSON on stdout')
}

function ordered(command: Command): Command {
  return about(command)
    .requiredOption('--actor <name>', 'who orders it, for the audit log')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .option('--yes', 'do it; without, say what would be done')
}

function several(one: string, before: readonly string[] = []): readonly string[] {
  return [...before, one]
}

function percent(text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !(number >= 0 && number <= 100))
    throw new InvalidArgumentError('A percentage is a number from 0 to 100.')
  return number
}
