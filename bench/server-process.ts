import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { HostOrder, HostReport } from '../apps/all-in-one/src/host-messages.ts'
import { projectRoot } from '../apps/all-in-one/src/pinned-node.ts'
import { freePort } from '../apps/all-in-one/src/servers/free-port.ts'
import { systemSettings } from '../apps/all-in-one/src/settings.ts'
import { serviceFlags } from '../apps/all-in-one/src/node-flags.ts'

/** A server under load, in a process of its own. */
export interface ServerProcess {
  readonly port: number
  /** Processor time so far, in µs; undefined where the system does not tell. */
  cpuMicros(): number | undefined
  stop(): Promise<void>
}

/** Token of the services that a bench starts. */
export const benchToken = 'token-of-the-bench'

/** Starts the server that does nothing. */
export async function startBareServer(): Promise<ServerProcess> {
  const child = fork(path.join(import.meta.dirname, 'bare-server.ts'), [], {
    execArgv: [...serviceFlags],
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { port, ...manner(child) }
}

/**
 * Starts services in one process, as `npm start` does, with the settings' defaults. Log lines are written, and thrown
 * away by the system.
 */
export async function startServices(
  names: readonly string[],
  redisUrl: string,
  portOf: 'UNIQ_PORT' | 'GATEWAY_PORT',
  settings: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const port = await freePort()
  const child = fork(path.join(projectRoot, 'apps/all-in-one/src/service-host.ts'), [], {
    execArgv: [...serviceFlags, ...(process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [])],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const secret = Buffer.alloc(32, 7).toString('base64')
  const order: HostOrder = {
    names: [...names],
    settings: systemSettings({ [portOf]: String(port), ...settings }, false),
    secrets: {
      MILLRACE_SECRET: secret,
      SERVICE_TOKEN: benchToken,
      INTAKE_TOKEN: benchToken,
      CONSOLE_TOKEN: benchToken,
      CONSOLE_VIEWER_TOKEN: benchToken,
      UNIQ_KEYRING: `1:${secret}`,
      REDIS_PASSWORD: '',
      POSTGRES_PASSWORD: '',
    },
    redisUrl,
    databaseUrl: '',
    smtpUrl: '',
    inboxSmtpPort: 0,
    member: 'bench',
  }
  child.send(order)
  const [report] = (await once(child, 'message')) as [HostReport]
  if (report.type === 'failed') throw new Error(report.message)
  return { port, ...manner(child) }
}

function manner(child: ChildProcess): Pick<ServerProcess, 'cpuMicros' | 'stop'> {
  return {
    cpuMicros: () => cpuMicrosOf(child.pid ?? 0),
    stop: async () => {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

const microsPerTick = 10_000

/** From Linux's accounts: fields 14 and 15 after the name in brackets, in ticks of 10 ms. */
function cpuMicrosOf(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick
}
