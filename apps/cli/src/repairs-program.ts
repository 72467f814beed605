import { type Command, InvalidArgumentError, Option } from 'commander'
import type { MendPart, RepairAction } from '@millrace/processor'
import { type AuditCommand, auditGroups } from './audit-command.ts'
import { listClasses } from './dead-classes.ts'
import { type FilterOptions, statusWord, withFilters } from './dead-filters.ts'
import { listDead } from './list-dead.ts'
import { listParked } from './list-parked.ts'
import { listRepairs } from './list-repairs.ts'
import { type LogSystem, withLog } from './log-system.ts'
import { type MendOptions, mendGroup } from './mend-command.ts'
import type { Surroundings } from './program.ts'
import { duration, partitionNumber, wholeNumber } from './option-values.ts'
import { repairDead, type RepairOptions } from './repair-command.ts'
import { withOrderOptions } from './repair-order.ts'
import { openRetryJobs } from './retry-jobs.ts'
import { findSystem } from './running-system.ts'
import { showDead } from './show-dead.ts'
import type { OutputOptions } from './uniq-commands.ts'

type On = (act: (system: LogSystem) => Promise<number>) => Promise<void>

const json = ['--json', 'JSON on stdout'] as const

/** Adds `millrace dead …`, `millrace parked …`, `millrace repairs`, `millrace audit` and `millrace mend`. */
export function addRepairs(program: Command, around: Surroundings, end: (code: number) => void): void {
  const on: On = async (act) => end(await withLog(findSystem(around.env), act))
  addDead(program, around, on)
  addParked(program, around, on)
  addAudit(program, around, on)
}

function addDead(program: Command, around: Surroundings, on: On): void {
  const dead = program
    .command('dead')
    .description('events that could not be processed, and keys that wait for an operator')
  withFilters(dead.command('ls'))
    .description('list them, of all topics, oldest first, addresses masked; exit code 1 when there are any')
    .option('--status <word>', 'dead or held alone', statusWord)
    .option('--limit <n>', 'at most so many', wholeNumber, 1_000)
    .option(...json)
    .action((options: OutputOptions & FilterOptions & { limit: number }) =>
      on((system) => listDead(system, options, around)),
    )
  dead
    .command('classes')
    .description('how many there are of each class of reasons, of all topics; exit code 1 when there are any')
    .option('--topic <name>', 'of this topic alone')
    .option('--group <name>', 'of this group alone')
    .option(...json)
    .action((options: OutputOptions & { topic?: string; group?: string }) =>
      on((system) => listClasses(system, options, around)),
    )
  dead
    .command('show <position>')
    .description('all that is known of one: event, reason, stack, every attempt, what has overtaken it')
    .option('--group <name>', 'of this group')
    .option('--plain', 'addresses and data as they are')
    .option('--json', 'one line of JSON')
    .action((position: string, options: OutputOptions & { group?: string; plain?: boolean }) =>
      on((system) => showDead(system, position, options, around)),
    )
  for (const action of actions)
    repairOptions(withFilters(dead.command(`${action.word} [position]`)), action)
      .description(`${action.about}: one by its position, or a selection of a topic or group`)
      .option('--status <word>', 'dead or held alone', statusWord)
      .action((position: string | undefined, options: RepairOptions) =>
        on((system) => repairDead(system, { action: action.word, whole: false }, position, options, around)),
      )
}

function addParked(program: Command, around: Surroundings, on: On): void {
  const parked = program
    .command('parked')
    .description('keys whose first event waits for a retry or for an operator')
  parked
    .command('ls')
    .description(
      'list them, of all topics, with what waits behind; exit code 1 when any is held for an operator',
    )
    .option('--topic <name>', 'of this topic alone')
    .option('--group <name>', 'of this group alone')
    .option('--key <id>', 'this key alone')
    .option('--held', 'those that wait for an operator alone')
    .option('--limit <n>', 'at most so many; all are counted', wholeNumber, 1_000)
    .option(...json)
    .action(
      (
        options: OutputOptions & {
          topic?: string
          group?: string
          key?: string
          held?: boolean
          limit: number
        },
      ) => on((system) => listParked(system, options, around)),
    )
  for (const action of actions)
    repairOptions(withFilters(parked.command(action.word)), action)
      .description(
        `${action.about}; with --key, the key as a whole: its line, then its head; --topic or --group says where`,
      )
      .action((options: RepairOptions) =>
        on((system) => repairDead(system, { action: action.word, whole: true }, undefined, options, around)),
      )
}

const actions: readonly { word: RepairAction['do']; about: string }[] = [
  { word: 'ignore', about: 'count it as done; no handler sees it' },
  { word: 'requeue', about: 'try it again, as if for the first time' },
  {
    word: 'edit',
    about: 'try it again with corrected data, checked against the schema; the log keeps the original',
  },
  { word: 'refetch', about: 'try it again with the present state of its source of truth' },
]

function repairOptions(command: Command, { word }: { word: RepairAction['do'] }): Command {
  withOrderOptions(
    command,
    'run dead letters late although later events of their keys are settled',
    'an event',
  )
  if (word === 'edit')
    command
      .option('--data <file>', 'a file with the corrected data, - for stdin')
      .option('--patch <json>', 'a JSON merge patch of the data')
  if (word === 'refetch')
    command.requiredOption(
      '--sources <file>',
      'a TypeScript file that exports sources: by type, where to ask',
    )
  return command
}

function addAudit(program: Command, around: Surroundings, on: On): void {
  program
    .command('repairs')
    .description('who has repaired what, when and why, in all topics; latest first')
    .option('--topic <name>', 'of this topic alone')
    .option('--group <name>', 'of this group alone')
    .option('--limit <n>', 'at most so many', wholeNumber, 100)
    .option(...json)
    .action((options: OutputOptions & { topic?: string; group?: string; limit: number }) =>
      on((system) => listRepairs(system, options, around)),
    )
  program
    .command('audit')
    .description(
      'whether nothing has disappeared, on a system that works; exit code 1 when something does not fit',
    )
    .argument('[topic]', 'of this topic alone')
    .argument('[group]', 'of this group alone')
    .option(...json)
    .addOption(
      new Option('--sweep <time>', 'how long jobs and records may differ before it counts')
        .argParser(duration)
        .default(35_000, '35s'),
    )
    .action(async (topic: string | undefined, group: string | undefined, options: AuditCommand) => {
      const jobs = openRetryJobs(findSystem(around.env))
      const named = { ...(topic === undefined ? {} : { topic }), ...(group === undefined ? {} : { group }) }
      try {
        await on((system) => auditGroups(system, { ...options, ...named, jobs }, around))
      } finally {
        await jobs?.close()
      }
    })
  program
    .command('mend')
    .description('make indexes or counters of a group anew from what is stored, where the audit asks for it')
    .requiredOption('--topic <name>', 'the topic')
    .requiredOption('--group <name>', 'the group')
    .requiredOption('--partition <n>', 'the partition', partitionNumber)
    .requiredOption('--part <word>', 'indexes or counters', mendPart)
    .requiredOption('--actor <name>', 'who orders it, for the audit log')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .option('--yes', 'do it; without, say what would become different')
    .option(...json)
    .action((options: MendOptions) => on((system) => mendGroup(system, options, around)))
}

function mendPart(text: string): MendPart {
  if (text !== 'indexes' && text !== 'counters')
    throw new InvalidArgumentError('The part is indexes or counters.')
  return text
}
