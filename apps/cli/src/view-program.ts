import type { Command } from 'commander'
import { withLog } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { viewNames } from './known-views.ts'
import { findSystem } from './running-system.ts'
import { type ViewRebuild, viewRebuild } from './view-commands.ts'

/** Adds `millrace view …`. */
export function addView(program: Command, around: Surroundings, end: (code: number) => void): void {
  program
    .command('view')
    .description('read models')
    .command('rebuild')
    .description('make a view anew from the log, beside the live one, and swap it in')
    .argument('<view>', `one of ${viewNames.join(', ')}`)
    .option(
      '--from <position>',
      'the last position that is right in its partition: only what follows is made anew',
    )
    .option('--yes', 'do it; without, say what would be done')
    .option('--json', 'JSON on stdout')
    .action(async (view: string, options: ViewRebuild) => {
      const system = findSystem(around.env)
      end(await withLog(system, (on) => viewRebuild(on, system, view, options, around, around.signal)))
    })
}
