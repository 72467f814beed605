import type { Command } from 'commander'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { reached } from './log-system.ts'
import type { Surroundings } from './program.ts'
import { type ReplayCommand, replayProcessor } from './replay-command.ts'
import { findSystem } from './running-system.ts'

/** Adds `millrace replay`. */
export function addReplay(program: Command, around: Surroundings, end: (code: number) => void): void {
  program
    .command('replay <file>')
    .description(
      "fold a group's history anew, by the processor that a TypeScript file exports, beside the live generation",
    )
    .option('--processor <name>', 'which one, where the file exports several')
    .option(
      '--compare',
      'say which keys differ from the live generation, and how; exit code 1 when there are any',
    )
    .option('--switch', 'put the new generation into the place of the live one')
    .option('--force', 'switch although the program sets aside or gives up what the live one has handled')
    .option('--drop', 'remove the new generation')
    .option('--no-emits', 'count emits, without a look for them on their topics')
    .option('--unmasked', 'show states as they are')
    .option('--yes', 'do it; without, say what would be done')
    .option('--json', 'JSON on stdout')
    .action(async (file: string, options: ReplayCommand) => {
      const url = findSystem(around.env).redisUrl
      const name = 'millrace-cli'
      const log = await reached(connectLog({ url, name, commandTimeoutMs: 30_000 }))
      try {
        const store = await reached(connectGroupStore({ url, name }))
        try {
          end(await replayProcessor({ log, store }, file, options, around, around.signal))
        } finally {
          await store.close()
        }
      } finally {
        await log.close()
      }
    })
}
