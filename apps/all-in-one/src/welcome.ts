import type { Home } from './home.ts'
import { secretsFile } from './secrets.ts'
import type { PortUse } from './service-factory.ts'
import type { Settings } from './settings.ts'

/** What is said when the system is up: where everything is, but no secret. */
export function welcome(ports: readonly PortUse[], settings: Settings, home: Home): string[] {
  // What a person wants to see first is started last.
  const pages = ports
    .toReversed()
    .flatMap(({ setting, shows }) =>
      shows === undefined ? [] : [[shows, `${addressOf(settings.HOST, settings[setting])}/`] as const],
    )
  const queues = ports.some(({ setting }) => setting === 'OPS_PORT')
    ? [
        [
          'Queues',
          `${addressOf(settings.HOST, settings.OPS_PORT)}/queues/ (CONSOLE_TOKEN opens them)`,
        ] as const,
      ]
    : []
  const rows = [...pages, ...queues, ['Secrets', secretsFile(home.directory)] as const]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    'Millrace is running. Stop it with Ctrl-C.',
    ...rows.map(([name, where]) => `  ${name.padEnd(width)}  ${where}`),
  ]
}

/** The address under which a listener on `host` is reached from this machine. */
export function addressOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
