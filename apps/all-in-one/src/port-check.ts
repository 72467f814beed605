import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { portHolder } from './port-holder.ts'
import type { PortUse, ServiceFactory } from './service-factory.ts'
import type { PortSetting, Settings } from './settings.ts'

/** Most time for the services of a run that was killed to leave their ports, in ms. */
const leaveMs = 15_000

/** The ports that these services listen on. */
export function portsOf(services: readonly ServiceFactory[], separate: boolean): PortUse[] {
  return services
    .flatMap(({ ports }) => ports)
    .filter(({ whenSeparate }) => separate || whenSeparate !== true)
}

/**
 * A sentence for each port that cannot be listened on. Ports that the services of an interrupted run still hold are
 * waited for: they are about to end.
 */
export async function portMistakes(
  ports: readonly PortUse[],
  settings: Settings,
  leaving: readonly number[],
): Promise<string[]> {
  const mistakes: string[] = []
  const seen = new Map<number, PortSetting>()
  for (const { setting } of ports) {
    const port = settings[setting]
    const twin = seen.get(port)
    if (port !== 0 && twin !== undefined) {
      mistakes.push(`${setting}: ${port} is also the value of ${twin}; each needs a port of its own`)
      continue
    }
    seen.set(port, setting)
    const mistake = await mistakeOf(setting, settings.HOST, port, leaving)
    if (mistake !== undefined) mistakes.push(mistake)
  }
  return mistakes
}

async function mistakeOf(
  setting: PortSetting,
  host: string,
  port: number,
  leaving: readonly number[],
): Promise<string | undefined> {
  for (const deadline = Date.now() + leaveMs; ; await delay(50)) {
    const code = await listenError(host, port)
    if (code === undefined) return undefined
    const where = `${host}:${port}`
    if (code === 'EACCES')
      return `${setting}: ${where} may not be listened on by this user; choose a port above 1023`
    if (code !== 'EADDRINUSE') return `${setting}: ${where} cannot be listened on (${code}); see HOST`
    const holder = portHolder(port)
    if (holder !== undefined && leaving.includes(holder.pid) && Date.now() < deadline) continue
    const who = holder === undefined ? 'another program' : `process ${holder.pid} (${holder.command})`
    return (
      `${setting}: ${where} is taken by ${who}, most often a development server or another Millrace; ` +
      `stop it, or choose another port: ${setting}=${port > 60_000 ? port - 1000 : port + 1000}`
    )
  }
}

/** Tries to listen; the error's code, undefined when it works. */
function listenError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
}
