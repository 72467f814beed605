import type { Readable } from 'node:stream'
import { inspect } from 'node:util'
import { Command, CommanderError } from 'commander'
import { correlationOf, isCorrelationId, MillraceError, runInScope } from '@millrace/event'
import manifest from '../package.json' with { type: 'json' }
import { addCdc } from './cdc-program.ts'
import { addEffects } from './effects-program.ts'
import { exitCodes } from './exit-codes.ts'
import { addLogLevel } from './log-level-command.ts'
import { addLog } from './log-program.ts'
import { addRepairs } from './repairs-program.ts'
import { addReplay } from './replay-program.ts'
import { addRestocking } from './restocking-program.ts'
import { addShadow } from './shadow-program.ts'
import { sentence, type Terminal } from './terminal.ts'
import { addUniq } from './uniq-program.ts'
import { addView } from './view-program.ts'

/** What the command line runs in. */
export interface Surroundings extends Terminal {
  readonly env: NodeJS.ProcessEnv
  readonly in: Readable
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
    const correlationId = correlationIn(args)
    await runInScope({ correlationId }, () => program.parseAsync([...args], { from: 'user' }))
    return code
  } catch (error) {
    return explain(error, around)
  }
}

function build(around: Surroundings, end: (code: number) => void): Command {
  const program = new Command('millrace')
    .version(manifest.version, '--version', 'the version of this program')
    .description('Looks after a Millrace system from the terminal.')
    .option('--correlation-id <id>', 'what all that the command leads to is found by. Default: a fresh one')
    .configureOutput({
      writeOut: (text) => around.out.write(text),
      writeErr: (text) => around.err.write(text),
    })
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', exitText)
  addLog(program, around, end)
  addLogLevel(program, around, end)
  addRepairs(program, around, end)
  addEffects(program, around, end)
  addReplay(program, around, end)
  addShadow(program, around, end)
  addUniq(program, around, end)
  addView(program, around, end)
  addCdc(program, around, end)
  addRestocking(program, around, end)
  return program
}

const exitText = `
Exit codes: 0 done; 1 done, and there is something to look at; 2 the command line
or the settings are wrong; 3 a server cannot be reached; 70 a mistake in the
program; 130 stopped by a signal.`

/** The correlation id of this command line: it is a door like any other. */
function correlationIn(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === option || arg.startsWith(`${option}=`))
  const given = args[at] === option ? args[at + 1] : args[at]?.slice(option.length + 1)
  if (at >= 0 && (given === undefined || !isCorrelationId(given)))
    throw new MillraceError(
      'request.invalid',
      'A correlation id is 1 to 128 letters, digits, dots, dashes, colons and underscores',
    )
  return correlationOf(given)
}

const option = '--correlation-id'

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function explain(error: unknown, around: Surroundings): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const isStopped = around.signal.aborted
  if (isStopped && isAbort(error)) return exitCodes.interrupted
  if (!(error instanceof MillraceError)) {
    around.err.write(`${inspect(error)}\n`)
    return exitCodes.mistake
  }
  around.err.write(`millrace: ${sentence(error.message)}\n`)
  if (isStopped) return exitCodes.interrupted
  return error.status >= 500 && error.code !== 'settings.invalid' ? exitCodes.unavailable : exitCodes.usage
}
