import type { Command } from 'commander'
import { addExplain } from './explain-program.ts'
import { foldTopic } from './fold-command.ts'
import { listEvents } from './list-events.ts'
import { listGroups } from './list-groups.ts'
import { listTopics } from './list-topics.ts'
import { type LogSystem, withLog } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { findSystem } from './running-system.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** Adds the commands that look at the log, its groups and its stories. None of them writes anything. */
export function addLog(program: Command, around: Surroundings, end: (code: number) => void): void {
  const on = async (act: (system: LogSystem) => Promise<number>): Promise<void> =>
    end(await withLog(findSystem(around.env), act))
  addExplain(program, around, end)
  program
    .command('topics')
    .description('the partitions of every topic, and how far they go')
    .option('--json', 'JSON on stdout')
    .action((options: OutputOptions) => on((system) => listTopics(system, options, around)))
  program
    .command('groups')
    .description('where each group stands; exit code 1 when events wait and nobody holds the lease')
    .option('--topic <name>', 'of this topic alone')
    .option('--group <name>', 'this group alone')
    .option('--json', 'JSON on stdout')
    .action((options: OutputOptions & { topic?: string; group?: string }) =>
      on((system) => listGroups(system, options, around)),
    )
  program
    .command('events')
    .description('the history of a key, in all topics: what, when, by whom, caused by what; the data masked')
    .requiredOption('--key <id>', 'the key, such as the id of an account')
    .option('--topic <name>', 'of this topic alone')
    .option('--json', 'one JSON object a line')
    .action((options: OutputOptions & { topic?: string; key: string }) =>
      on((system) => listEvents(system, options, around)),
    )
  program
    .command('fold <file>')
    .description('run a TypeScript file with initial and fold(state, event) over a whole topic')
    .option('--topic <name>', 'the topic', 'accounts')
    .option('--json', 'JSON on stdout')
    .action((file: string, options: OutputOptions & { topic: string }) =>
      on((system) => foldTopic(system, file, options, around, around.signal)),
    )
}
