import { randomInt } from 'node:crypto'
import { Command, CommanderError } from 'commander'
import { MillraceError } from '@millrace/event'
import { exitCodes } from '../exit-codes.ts'
import type { Terminal } from '../terminal.ts'
import { leadsDemo } from './leads-demo.ts'
import { demoSecrets } from './demo-secrets.ts'
import { addRestockingDemo } from './restocking-program.ts'
import { webAddress, wholeNumber } from './option-values.ts'
import { signUpDemo } from './sign-up-demo.ts'

/** What a demo runs in. */
export interface DemoSurroundings extends Terminal {
  readonly env: NodeJS.ProcessEnv
  /** Ends the demo. */
  readonly signal: AbortSignal
}

interface SignUpArguments {
  readonly count: number
  readonly concurrency: number
  readonly seed?: string
  readonly baseUrl: string
  readonly inboxUrl: string
  readonly inbox: boolean
  readonly home: string
  readonly patience: number
  readonly json?: boolean
}

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
  addSignUp(program, around, end)
  addLeads(program, around, end)
  addRestockingDemo(program, around, end)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return explain(error, around)
  }
}

function addSignUp(program: Command, around: DemoSurroundings, end: (code: number) => void): void {
  const { env } = around
  const local = (port: string | undefined, preset: number) => `http://127.0.0.1:${port ?? preset}`
  program
    .command('sign-up')
    .description(
      'thousands of varied sign-ups, compared with the log and the mails; exit code 1 if they differ',
    )
    .option('--count <n>', 'sign-ups to send', wholeNumber, 3_000)
    .option('--concurrency <n>', 'requests under way at once', wholeNumber, 16)
    .option('--seed <text>', 'repeat the run of that seed; default: a new one, printed')
    .option('--base-url <url>', 'the gateway', webAddress, local(env['GATEWAY_PORT'], 3_000))
    .option(
      '--inbox-url <url>',
      'the inbox that the mails go to',
      webAddress,
      local(env['INBOX_PORT'], 3_003),
    )
    .option('--no-inbox', 'leave the mails out')
    .option(
      '--home <directory>',
      'where secrets.json lies, for the intake token',
      env['MILLRACE_HOME'] ?? '.millrace',
    )
    .option('--patience <seconds>', 'wait for a mail for so long while none comes', wholeNumber, 30)
    .option('--json', 'JSON on stdout')
    .action(async (given: SignUpArguments) => {
      const { count, concurrency, baseUrl } = given
      const demo = {
        ...{ count, concurrency, baseUrl },
        seed: given.seed ?? String(randomInt(1_000_000_000)),
        inboxUrl: given.inbox ? given.inboxUrl : undefined,
        intakeToken: demoSecrets(env, given.home)('INTAKE_TOKEN'),
        patienceMs: given.patience * 1_000,
        json: given.json ?? false,
      }
      end(await signUpDemo(demo, around, around.signal))
    })
}

interface LeadsArguments {
  readonly count: number
  readonly concurrency: number
  readonly seed?: string
  readonly baseUrl: string
  readonly leadsUrl: string
  readonly legacyUrl: string
  readonly home: string
  readonly patience: number
  readonly json?: boolean
}

function addLeads(program: Command, around: DemoSurroundings, end: (code: number) => void): void {
  const { env } = around
  const local = (port: string | undefined, preset: number) => `http://127.0.0.1:${port ?? preset}`
  program
    .command('leads')
    .description(
      'offers on real cars, out of order and with duplicates; leads, quotes and calls compared with a fold',
    )
    .option('--count <n>', 'buyers', wholeNumber, 300)
    .option('--concurrency <n>', 'requests under way at once', wholeNumber, 16)
    .option('--seed <text>', 'repeat the run of that seed; default: a new one, printed')
    .option('--base-url <url>', 'the gateway', webAddress, local(env['GATEWAY_PORT'], 3_000))
    .option('--leads-url <url>', 'leads', webAddress, local(env['LEADS_PORT'], 3_007))
    .option('--legacy-url <url>', 'the legacy system', webAddress, local(env['LEGACY_LEADS_PORT'], 3_008))
    .option('--home <directory>', 'where secrets.json lies', env['MILLRACE_HOME'] ?? '.millrace')
    .option('--patience <seconds>', 'wait for a buyer for so long', wholeNumber, 60)
    .option('--json', 'JSON on stdout')
    .action(async (given: LeadsArguments) => {
      const { count, concurrency, baseUrl, leadsUrl, legacyUrl } = given
      const secret = demoSecrets(env, given.home)
      const demo = {
        ...{ count, concurrency, baseUrl, leadsUrl, legacyUrl },
        seed: given.seed ?? String(randomInt(1_000_000_000)),
        intakeToken: secret('INTAKE_TOKEN'),
        serviceToken: secret('SERVICE_TOKEN'),
        consoleToken: secret('CONSOLE_TOKEN'),
        patienceMs: given.patience * 1_000,
        json: given.json ?? false,
      }
      end(await leadsDemo(demo, around, around.signal))
    })
}

function explain(error: unknown, around: DemoSurroundings): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (around.signal.aborted) return exitCodes.interrupted
  if (!(error instanceof MillraceError)) throw error
  around.err.write(`demo: ${error.message}.\n`)
  return error.code === 'settings.invalid' ? exitCodes.usage : exitCodes.unavailable
}
