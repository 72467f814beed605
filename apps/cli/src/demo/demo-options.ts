import { randomInt } from 'node:crypto'
import { type Command, Option } from 'commander'
import type { Terminal } from '../terminal.ts'
import { webAddress, wholeNumber } from '../option-values.ts'

/** What a demo runs in. */
export interface DemoSurroundings extends Terminal {
  readonly env: NodeJS.ProcessEnv
  /** Ends the demo. */
  readonly signal: AbortSignal
}

/** What every demo is told. */
export interface DemoArguments {
  readonly seed?: string
  readonly home: string
  readonly patience: number
  readonly json?: boolean
}

/** Where the mails of a demo go to. */
export interface InboxArguments {
  readonly inboxUrl: string
  readonly inbox: boolean
}

/** What the options of every demo say of themselves where they differ. */
interface OptionTexts {
  readonly seed?: string
  readonly home: string
  /** What it waits for, and how long by default, in seconds. */
  readonly patience: readonly [what: string, seconds: number]
}

/** Adds the options of every demo, behind its own. */
export function withDemoOptions(command: Command, env: NodeJS.ProcessEnv, texts: OptionTexts): Command {
  const { seed = 'repeat the run of that seed', home, patience } = texts
  return command
    .option('--seed <text>', `${seed}; default: a new one, printed`)
    .option('--home <directory>', home, env['MILLRACE_HOME'] ?? '.millrace')
    .option('--patience <seconds>', patience[0], wholeNumber, patience[1])
    .option('--json', 'JSON on stdout')
}

/** Adds the options of a demo that looks at mails. */
export function withInboxOptions(command: Command, env: NodeJS.ProcessEnv): Command {
  return command
    .addOption(addressOption('--inbox-url', 'the inbox that the mails go to', env['INBOX_PORT'] ?? 3_003))
    .option('--no-inbox', 'leave the mails out')
}

/** An option for the address of a service; by default it is on this machine. */
export function addressOption(flag: string, what: string, port: string | number): Option {
  return new Option(`${flag} <url>`, what).argParser(webAddress).default(`http://127.0.0.1:${port}`)
}

/** The same for every demo, as it works with it. */
export function demoAsked({ seed, patience, json }: DemoArguments) {
  return {
    seed: seed ?? String(randomInt(1_000_000_000)),
    patienceMs: patience * 1_000,
    json: json ?? false,
  }
}
