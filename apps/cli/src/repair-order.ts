import type { Command } from 'commander'
import { freshId } from '@millrace/event'
import type { RepairOrder } from '@millrace/processor'
import type { OutputOptions } from './uniq-commands.ts'

/** What every repair is told: who, why, how far, and whether at all. */
export interface OrderOptions extends OutputOptions {
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
}

/** Adds the options of every repair to a command. */
export function withOrderOptions(command: Command, force: string, one: string): Command {
  return command
    .requiredOption('--actor <name>', 'who orders it, for the audit log')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .option('--all', 'all of the group or topic')
    .option('--force', force)
    .option('--dry-run', 'say what would be done, and do nothing; so it does without --yes')
    .option('--yes', 'do it')
    .option('--order <id>', 'an order that broke off: nothing of it is done twice')
    .option('--json', `one JSON object ${one}`)
}

/** The order that the options give. Without --yes nothing is done. */
export function orderOf(options: OrderOptions): RepairOrder {
  return {
    by: options.actor,
    reason: options.reason,
    force: options.force === true,
    dryRun: options.dryRun === true || options.yes !== true,
    id: options.order ?? freshId(),
  }
}
