import { randomInt } from 'node:crypto'
import type { Command } from 'commander'
import { MillraceError } from '@millrace/event'
import { findSystem } from '../running-system.ts'
import { demoSecrets } from './demo-secrets.ts'
import { webAddress, wholeNumber } from './option-values.ts'
import type { DemoSurroundings } from './program.ts'
import { restockingDemo } from './restocking-demo.ts'

interface RestockingArguments {
  readonly events?: number
  readonly large?: boolean
  readonly seed?: string
  readonly restockingUrl: string
  readonly inboxUrl: string
  readonly inbox: boolean
  readonly home: string
  readonly patience: number
  readonly json?: boolean
}

/** Adds `npm run demo -- restocking`. */
export function addRestockingDemo(
  program: Command,
  around: DemoSurroundings,
  end: (code: number) => void,
): void {
  const { env } = around
  const local = (port: string | undefined, preset: number) => `http://127.0.0.1:${port ?? preset}`
  program
    .command('restocking')
    .description(
      'a day of stock, orders, products, poison and clicks; suggestions compared with the rules over the database',
    )
    .option('--events <n>', 'events of the day. Default: 3000', wholeNumber)
    .option('--large', '50,000 events')
    .option('--seed <text>', 'repeat the choices of that seed; default: a new one, printed')
    .option('--restocking-url <url>', 'restocking', webAddress, local(env['RESTOCKING_PORT'], 3_010))
    .option(
      '--inbox-url <url>',
      'the inbox that the mails go to',
      webAddress,
      local(env['INBOX_PORT'], 3_003),
    )
    .option('--no-inbox', 'leave the mails out')
    .option('--home <directory>', 'where the system runs', env['MILLRACE_HOME'] ?? '.millrace')
    .option('--patience <seconds>', 'wait for the change stream for so long', wholeNumber, 120)
    .option('--json', 'JSON on stdout')
    .action(async (given: RestockingArguments) => {
      const system = findSystem({ ...env, MILLRACE_HOME: given.home })
      const { databaseUrl } = system
      if (databaseUrl === undefined)
        throw new MillraceError('settings.invalid', 'Nobody says where PostgreSQL is; set DATABASE_URL')
      const demo = {
        ...{ system, databaseUrl, restockingUrl: given.restockingUrl },
        inboxUrl: given.inbox ? given.inboxUrl : undefined,
        serviceToken: demoSecrets(env, given.home)('SERVICE_TOKEN'),
        events: given.events ?? (given.large ? 50_000 : 3_000),
        seed: given.seed ?? String(randomInt(1_000_000_000)),
        patienceMs: given.patience * 1_000,
        json: given.json ?? false,
      }
      end(await restockingDemo(demo, around, around.signal))
    })
}
