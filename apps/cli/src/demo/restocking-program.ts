import type { Command } from 'commander'
import { databaseOf, findSystem } from '../running-system.ts'
import {
  addressOption,
  type DemoArguments,
  demoAsked,
  type DemoSurroundings,
  type InboxArguments,
  withDemoOptions,
  withInboxOptions,
} from './demo-options.ts'
import { demoSecrets } from './demo-secrets.ts'
import { wholeNumber } from '../option-values.ts'
import { restockingDemo } from './restocking-demo.ts'

interface RestockingArguments extends DemoArguments, InboxArguments {
  readonly events?: number
  readonly large?: boolean
  readonly restockingUrl: string
  readonly purchasingUrl: string
}

/** Adds `npm run demo -- restocking`. */
export function addRestockingDemo(
  program: Command,
  around: DemoSurroundings,
  end: (code: number) => void,
): void {
  const { env } = around
  const command = program
    .command('restocking')
    .description(
      'a day of stock, orders, products, poison and clicks; suggestions compared with the rules over the database',
    )
    .option('--events <n>', 'events of the day. Default: 3000', wholeNumber)
    .option('--large', '50,000 events')
    .addOption(addressOption('--restocking-url', 'restocking', env['RESTOCKING_PORT'] ?? 3_010))
    .addOption(addressOption('--purchasing-url', 'purchasing', env['PURCHASING_PORT'] ?? 3_009))
  withDemoOptions(withInboxOptions(command, env), env, {
    seed: 'repeat the choices of that seed',
    home: 'where the system runs',
    patience: ['wait for the change stream for so long', 120],
  }).action(async (given: RestockingArguments) => {
    const system = findSystem({ ...env, MILLRACE_HOME: given.home })
    const demo = {
      ...{ system, databaseUrl: databaseOf(system) },
      ...{ restockingUrl: given.restockingUrl, purchasingUrl: given.purchasingUrl },
      ...demoAsked(given),
      inboxUrl: given.inbox ? given.inboxUrl : undefined,
      serviceToken: demoSecrets(env, given.home)('SERVICE_TOKEN'),
      events: given.events ?? (given.large ? 50_000 : 3_000),
    }
    end(await restockingDemo(demo, around, around.signal))
  })
}
