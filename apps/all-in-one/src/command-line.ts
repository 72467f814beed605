import { parseArgs } from 'node:util'
import type { ServiceFactory } from './service-factory.ts'

/** What was asked for on the command line. */
export interface CommandLine {
  readonly help: boolean
  /** Each service in a process of its own. */
  readonly separate: boolean
  /** The services to run, in the order of the table. */
  readonly services: readonly ServiceFactory[]
}

/** Reads `--only a,b`, `--separate` and `--help`. Mistakes come as sentences, all at once. */
export function readCommandLine(
  args: readonly string[],
  registry: readonly ServiceFactory[],
): { readonly asked: CommandLine; readonly mistakes: readonly string[] } {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      separate: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const mistakes: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') mistakes.push(`${token.value}: is not understood; see --help`)
    if (token.kind === 'option' && !['only', 'separate', 'help'].includes(token.name))
      mistakes.push(`${token.rawName}: is not known; see --help`)
  }
  const known = registry.map(({ name }) => name).join(', ')
  let services = registry
  if (values.only !== undefined) {
    const wanted = typeof values.only === 'string' ? values.only.split(',').map((name) => name.trim()) : []
    const names = wanted.filter((name) => name !== '')
    if (names.length === 0) mistakes.push(`--only: names no service (there are ${known})`)
    for (const name of names)
      if (!registry.some((service) => service.name === name))
        mistakes.push(`--only: there is no service ${JSON.stringify(name)} (there are ${known})`)
    services = registry.filter(({ name }) => names.includes(name))
  }
  return { asked: { help: values.help === true, separate: values.separate === true, services }, mistakes }
}

/**
 * A sentence about `--separate` where npm has taken it for its own, because the `--` was forgotten: it hands it on as an
 * environment variable. (`--only` it drops, with a warning of its own.)
 */
export function optionsTakenByNpm(env: Readonly<Record<string, string | undefined>>): string[] {
  const taken = (env['npm_config_separate'] ?? '') !== ''
  return taken ? ['--separate: npm has taken it; write npm start -- --separate'] : []
}

/** The text of `--help`. */
export function helpText(registry: readonly ServiceFactory[]): string {
  const width = Math.max(8, ...registry.map(({ name }) => name.length))
  return [
    'npm start [-- options]     runs Millrace with everything that it needs',
    '',
    '  --only a,b     run these services alone',
    '  --separate     run each service in a process of its own',
    '  --help         this text',
    '',
    'Services:',
    ...registry.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`),
    '',
    'Settings are environment variables; docs/settings.md lists them. Stop with Ctrl-C.',
  ].join('\n')
}
