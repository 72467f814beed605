import type { Command } from 'commander'
import type { EffectAction, OpenEffect } from '@millrace/processor'
import {
  type EffectFilterOptions,
  openStatus,
  withEffectFilters,
  withEffectPlaces,
} from './effect-filters.ts'
import { listEffects, showEffect } from './list-effects.ts'
import { type LogSystem, withLog } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { type EffectRepairOptions, repairEffects } from './repair-effects.ts'
import { wholeNumber } from './option-values.ts'
import { withOrderOptions } from './repair-order.ts'
import { findSystem } from './running-system.ts'
import type { OutputOptions } from './uniq-commands.ts'

const actions: readonly { readonly word: EffectAction['do']; readonly about: string }[] = [
  { word: 'ignore', about: 'never carry them out' },
  { word: 'requeue', about: 'carry them out, as if for the first time' },
  { word: 'edit', about: "carry them out with a corrected payload, checked against the effect's schema" },
]

/** Adds `millrace effects …`. */
export function addEffects(program: Command, around: Surroundings, end: (code: number) => void): void {
  const on = async (act: (system: LogSystem) => Promise<number>) =>
    end(await withLog(findSystem(around.env), act))
  const effects = program
    .command('effects')
    .description('actions on the outside world, and those that could not be carried out')
  withEffectFilters(effects.command('ls'))
    .description('list them, of all topics, oldest first, addresses masked; exit code 1 when any is dead')
    .option('--status <word>', 'dead, parked or pending', openStatus, 'dead' as const)
    .option('--limit <n>', 'at most so many', wholeNumber, 1_000)
    .option('--json', 'JSON on stdout')
    .action((options: OutputOptions & EffectFilterOptions & { limit: number; status: OpenEffect }) =>
      on((system) => listEffects(system, options, around)),
    )
  withEffectPlaces(effects.command('show <id>'))
    .description('all that is known of one, by its idempotency key: reason, attempts, what has overtaken it')
    .option('--plain', 'addresses and data as they are')
    .option('--json', 'one line of JSON')
    .action((id: string, options: OutputOptions & EffectFilterOptions & { plain?: boolean }) =>
      on((system) => showEffect(system, id, options, around)),
    )
  for (const { word, about } of actions) {
    const command = withEffectFilters(effects.command(`${word} [id]`)).description(
      `${about}: one by its idempotency key, or a selection of a topic or group`,
    )
    withOrderOptions(command, 'carry them out although later ones of their keys were', 'an effect').action(
      (id: string | undefined, options: EffectRepairOptions) =>
        on((system) => repairEffects(system, word, id, options, around)),
    )
    if (word === 'edit')
      command
        .option('--data <file>', 'a file with the corrected payload, - for stdin')
        .option('--patch <json>', 'a JSON merge patch of the payload')
        .option('--file <file>', 'a TypeScript file that exports the processor whose effects they are')
        .option('--processor <name>', 'which one, where the file exports several')
  }
}
