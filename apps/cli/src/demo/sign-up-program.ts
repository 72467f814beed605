import type { Command } from 'commander'
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
import { signUpDemo } from './sign-up-demo.ts'

interface SignUpArguments extends DemoArguments, InboxArguments {
  readonly count: number
  readonly concurrency: number
  readonly baseUrl: string
}

/** Adds `npm run demo -- sign-up`. */
export function addSignUpDemo(program: Command, around: DemoSurroundings, end: (code: number) => void): void {
  const { env } = around
  const command = program
    .command('sign-up')
    .description(
      'thousands of varied sign-ups, compared with the log and the mails; exit code 1 if they differ',
    )
    .option('--count <n>', 'sign-ups to send', wholeNumber, 3_000)
    .option('--concurrency <n>', 'requests under way at once', wholeNumber, 16)
    .addOption(addressOption('--base-url', 'the gateway', env['GATEWAY_PORT'] ?? 3_000))
  withDemoOptions(withInboxOptions(command, env), env, {
    home: 'where secrets.json lies, for the intake token',
    patience: ['wait for a mail for so long while none comes', 30],
  }).action(async (given: SignUpArguments) => {
    const { count, concurrency, baseUrl } = given
    const demo = {
      ...{ count, concurrency, baseUrl },
      ...demoAsked(given),
      inboxUrl: given.inbox ? given.inboxUrl : undefined,
      intakeToken: demoSecrets(env, given.home)('INTAKE_TOKEN'),
    }
    end(await signUpDemo(demo, around, around.signal))
  })
}
