import type { Command } from 'commander'
import { type Ask, explain, withExplainer } from './explain-command.ts'
import type { Surroundings } from './program.ts'
import { findSystem } from './running-system.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** Adds `millrace explain …`: what became of a request, an event or a key. */
export function addExplain(program: Command, around: Surroundings, end: (code: number) => void): void {
  const on = async (ask: Ask, options: OutputOptions): Promise<void> =>
    end(await withExplainer(findSystem(around.env), (explainer) => explain(explainer, ask, options, around)))
  const told = program
    .command('explain')
    .description(
      'what became of a request, an event or a key, in the order of time; no data, addresses masked',
    )
  told
    .command('correlation <id>')
    .description('everything that one request led to; exit code 1 when nothing is known of it')
    .option('--json', 'JSON on stdout')
    .action((id: string, options: OutputOptions) => on((explainer) => explainer.correlation(id), options))
  told
    .command('event <id>')
    .description('the story that an event is part of; exit code 1 when nothing is known of it')
    .option('--json', 'JSON on stdout')
    .action((id: string, options: OutputOptions) => on((explainer) => explainer.event(id), options))
  told
    .command('key <topic> <key>')
    .description('what became of the latest events of a key; exit code 1 when it has none')
    .option('--json', 'JSON on stdout')
    .action((topic: string, key: string, options: OutputOptions) =>
      on((explainer) => explainer.key(topic, key), options),
    )
}
