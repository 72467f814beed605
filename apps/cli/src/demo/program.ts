import { inspect } from 'node:util'
import { Command, CommanderError } from 'commander'
import { MillraceError } from '@millrace/event'
import { exitCodes } from '../exit-codes.ts'
import type { DemoSurroundings } from './demo-options.ts'
import { addLeadsDemo } from './leads-program.ts'
import { addRestockingDemo } from './restocking-program.ts'
import { sentence } from '../terminal.ts'
import { addSignUpDemo } from './sign-up-program.ts'

/** Runs `npm run demo -- …` and answers the exit code. */
export async function runDemo(args: readonly string[], around: DemoSurroundings): Promise<number> {
  let code: number = exitCodes.ok
  const program = new Command('demo')
    .description('Drives a running system, and checks what it did.')
    .configureOutput({
      writeOut: (text) => around.out.write(text),
      writeErr: (text) => around.err.write(text),
    })
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
  const end = (result: number): void => {
    code = result
  }
  addSignUpDemo(program, around, end)
  addLeadsDemo(program, around, end)
  addRestockingDemo(program, around, end)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return explain(error, around)
  }
}

function explain(error: unknown, around: DemoSurroundings): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (around.signal.aborted) return exitCodes.interrupted
  if (!(error instanceof MillraceError)) {
    around.err.write(`${inspect(error)}\n`)
    return exitCodes.mistake
  }
  around.err.write(`demo: ${sentence(error.message)}\n`)
  return error.code === 'settings.invalid' ? exitCodes.usage : exitCodes.unavailable
}
