import { text as readText } from 'node:stream/consumers'
import { Command, CommanderError } from 'commander'
import { MillraceError } from '@millrace/event'
import { exitCodes } from './exit-codes.ts'
import { findSystem } from './running-system.ts'
import type { Terminal } from './terminal.ts'
import { type OutputOptions, type RebuildCommand, uniqGet, uniqRebuild, uniqVerify } from './uniq-commands.ts'
import { withUniq } from './uniq-system.ts'

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
    .description('Looks after a Millrace system from the terminal.')
    .configureOutput({
      writeOut: (text) => around.out.write(text),
      writeErr: (text) => around.err.write(text),
    })
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
  const uniq = program
    .command('uniq')
    .description('unique values: who holds them, are they right, make them anew')
  const topicOption = ['--topic <name>', 'the topic whose claims they are', 'accounts'] as const
  uniq
    .command('get <constraint> <value...>')
    .description('the key that holds a value; - reads values from stdin, one a line')
    .option(...topicOption)
    .option('--json', 'JSON on stdout')
    .action(async (constraint: string, given: string[], options: OutputOptions & { topic: string }) => {
      const values = given.length === 1 && given[0] === '-' ? await lines(around.in) : given
      end(
        await withUniq(findSystem(around.env), options.topic, (system) =>
          uniqGet(system, constraint, values, options, around),
        ),
      )
    })
  uniq
    .command('verify')
    .description('compare claims with the log; exit code 1 when they differ')
    .option(...topicOption)
    .option('--json', 'JSON on stdout')
    .action(async (options: OutputOptions & { topic: string }) => {
      end(
        await withUniq(findSystem(around.env), options.topic, (system) =>
          uniqVerify(system, options, around),
        ),
      )
    })
  const rebuild = async (options: RebuildCommand & { topic: string }) => {
    end(
      await withUniq(findSystem(around.env), options.topic, (system) =>
        uniqRebuild(system, options, around, around.signal),
      ),
    )
  }
  uniq
    .command('rebuild')
    .description('make the claims anew from the log, beside the live ones, and swap them in')
    .option(...topicOption)
    .option('--closed', 'refuse claim changes meanwhile: for claims that are lost or wrong')
    .option('--yes', 'do it; without, say what would be done')
    .option('--json', 'JSON on stdout')
    .action(rebuild)
  uniq
    .command('rotate')
    .description('rebuild the claims under another version of UNIQ_KEYRING')
    .requiredOption('--to <version>', 'the keyring version that is live afterwards')
    .option(...topicOption)
    .option('--yes', 'do it; without, say what would be done')
    .option('--json', 'JSON on stdout')
    .action(rebuild)
  return program
}

async function lines(input: NodeJS.ReadableStream): Promise<string[]> {
  return (await readText(input)).split('\n').filter((line) => line !== '')
}

function explain(error: unknown, around: Terminal): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (!(error instanceof MillraceError)) throw error
  around.err.write(`millrace: ${error.message}${/[.!?]$/.test(error.message) ? '' : '.'}\n`)
  return error.status >= 500 && error.code !== 'settings.invalid' ? exitCodes.unavailable : exitCodes.usage
}
