/** `npm start`: brings the whole system up, keeps it up, and takes it down again. docs/setting-up.md draws it. */
import path from 'node:path'
import { MillraceError } from '@millrace/event'
import { handleProcess, type LogFields } from '@millrace/service'
import { watchParent } from '../bootstrap/watch-parent.mjs'
import { type CommandLine, helpText, optionsTakenByNpm, readCommandLine } from './command-line.ts'
import { Home } from './home.ts'
import { projectRoot } from './pinned-node.ts'
import { portMistakes, portsOf } from './port-check.ts'
import { loadSecrets } from './secrets.ts'
import { serviceRegistry } from './services.ts'
import { type Settings, systemSettings } from './settings.ts'
import { StartRefused } from './start-refused.ts'
import { System } from './system.ts'
import { voiceOf } from './voice.ts'
import { welcome } from './welcome.ts'

const shareSecrets =
  'REDIS_URL is set and MILLRACE_SECRET is not: whatever else uses this Redis needs the same secrets as this home.'

/** All stops of services and servers fit into this, each with its own bound. */
const stopTimeoutMs = 50_000

function readEverything(args: readonly string[]): { asked: CommandLine; settings: Settings } {
  const { asked, mistakes: misread } = readCommandLine(args, serviceRegistry)
  const mistakes = [...misread, ...optionsTakenByNpm(process.env)]
  let settings: Settings | undefined
  let wrong = ''
  try {
    settings = systemSettings(process.env, process.stdout.isTTY)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    wrong = error.message
  }
  const list = mistakes.length === 0 ? '' : `The command line is wrong:\n${indented(mistakes)}`
  if (settings === undefined || list !== '') throw new StartRefused([list, wrong].filter(Boolean).join('\n'))
  return { asked, settings }
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(helpText(serviceRegistry))
    return
  }
  const { asked, settings } = readEverything(args)
  const say = voiceOf(settings)
  const home = new Home(path.resolve(projectRoot, settings.MILLRACE_HOME))
  const ports = portsOf(asked.services, asked.separate)
  const mistakes = await portMistakes(ports, settings, home.interrupted?.services ?? [])
  if (mistakes.length > 0) throw new StartRefused(indented(mistakes, ''))
  const secrets = loadSecrets(home.directory, settings, say)
  if (settings.REDIS_URL !== undefined && settings.MILLRACE_SECRET === undefined) say(shareSecrets)
  const system = new System({ asked, settings, secrets, home, say })
  const tell = (message: string, fields?: LogFields): void => {
    const error = fields?.['err']
    say(error instanceof Error ? `${message}: ${error.stack ?? error.message}` : message)
  }
  const logger = { info: say, warn: say, error: tell, fatal: tell }
  handleProcess({ logger, stop: () => system.stop(), stopTimeoutMs })
  await system.start()
  if (!system.stopping) for (const line of welcome(ports, settings, home)) say(line)
}

function indented(lines: readonly string[], by = '  '): string {
  return lines.map((line) => by + line).join('\n')
}

const parent = Number(process.env['MILLRACE_PARENT_PID'] ?? 0)
if (parent > 0) watchParent(parent, () => process.kill(process.pid, 'SIGTERM'))
// Whoever read our output may be gone (`npm start | head`); that is no reason to stop serving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
try {
  await main(process.argv.slice(2))
} catch (error) {
  // Keepers and services end by themselves when this process does.
  const expected = error instanceof StartRefused || error instanceof MillraceError
  console.error(expected ? error.message : error)
  process.exit(1)
}
