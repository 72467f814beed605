import { Command, CommanderError } from 'commander'
import { MillraceError } from '@millrace/event'
import manifest from '../package.json' with { type: 'json' }
import { addEffects } from './effects-program.ts'
import { exitCodes } from './exit-codes.ts'
import { addLog } from './log-program.ts'
import { addRepairs } from './repairs-program.ts'
import { addReplay } from './replay-program.ts'
import type { Terminal } from './terminal.ts'
import { addUniq } from './uniq-program.ts'
import { addView } from './view-program.ts'

/** What the command line runs in. */
export interface Surroundings extends Terminal {
  readonly env: NodeJS.ProcessEnv
  readonly in: NodeJS.ReadableStream
  /** Ends what runs, at the next place where nothing is lost. */
  readonly signal: AbortSignal
}

/**
 * Runs one command line and answers the exit code.
 *
 * @param args without the names of Node and the program
 */
export async function run(args: readonly string[], around: Surroundings): Promise<number> {
  let code: number = exitCodes.ok
  const program = build(around, (result) => {
    code = result
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return explain(error, around)
  }
}

function build(around: Surroundings, end: (code: number) => void): Command {
  const program = new Command('millrace')
    .version(manifest.version, '--version', 'the version of this program')
    .description('Looks after a Millrace system from the terminal.')
    .configureOutput({
      writeOut: (text) => around.out.write(text),
      writeErr: (text) => around.err.write(text),
    })
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
  addLog(program, around, end)
  addRepairs(program, around, end)
  addEffects(program, around, end)
  addReplay(program, around, end)
  addUniq(program, around, end)
  addView(program, around, end)
  return program
}

function explain(error: unknown, around: Terminal): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (!(error instanceof MillraceError)) throw error
  around.err.write(`millrace: ${error.message}${/[.!?]$/.test(error.message) ? '' : '.'}\n`)
  return error.status >= 500 && error.code !== 'settings.invalid' ? exitCodes.unavailable : exitCodes.usage
}
