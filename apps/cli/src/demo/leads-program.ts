import type { Command } from 'commander'
import {
  addressOption,
  type DemoArguments,
  demoAsked,
  type DemoSurroundings,
  withDemoOptions,
} from './demo-options.ts'
import { demoSecrets } from './demo-secrets.ts'
import { leadsDemo } from './leads-demo.ts'
import { wholeNumber } from '../option-values.ts'

interface LeadsArguments extends DemoArguments {
  readonly count: number
  readonly concurrency: number
  readonly baseUrl: string
  readonly leadsUrl: string
  readonly legacyUrl: string
}

/** Adds `npm run demo -- leads`. */
export function addLeadsDemo(program: Command, around: DemoSurroundings, end: (code: number) => void): void {
  const { env } = around
  const command = program
    .command('leads')
    .description(
      'offers on real cars, out of order and with duplicates; leads, quotes and calls compared with a fold',
    )
    .option('--count <n>', 'buyers', wholeNumber, 300)
    .option('--concurrency <n>', 'requests under way at once', wholeNumber, 16)
    .addOption(addressOption('--base-url', 'the gateway', env['GATEWAY_PORT'] ?? 3_000))
    .addOption(addressOption('--leads-url', 'leads', env['LEADS_PORT'] ?? 3_007))
    .addOption(addressOption('--legacy-url', 'the legacy system', env['LEGACY_LEADS_PORT'] ?? 3_008))
  withDemoOptions(command, env, {
    home: 'where secrets.json lies',
    patience: ['wait for a buyer for so long', 60],
  }).action(async (given: LeadsArguments) => {
    const { count, concurrency, baseUrl, leadsUrl, legacyUrl } = given
    const secret = demoSecrets(env, given.home)
    const demo = {
      ...{ count, concurrency, baseUrl, leadsUrl, legacyUrl },
      ...demoAsked(given),
      intakeToken: secret('INTAKE_TOKEN'),
      serviceToken: secret('SERVICE_TOKEN'),
      consoleToken: secret('CONSOLE_TOKEN'),
    }
    end(await leadsDemo(demo, around, around.signal))
  })
}
