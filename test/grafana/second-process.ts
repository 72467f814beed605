import { freshId } from '@millrace/event'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'
import { ServiceProcess } from '../../apps/all-in-one/src/service-process.ts'
import { systemSettings } from '../../apps/all-in-one/src/settings.ts'
import type { WholeSystem } from '../support/whole-system.ts'

/** Another process of the service `mail` of a running system, and so another member of that group. */
export class SecondProcess {
  /** Where it is scraped. */
  readonly url: URL
  readonly #process: ServiceProcess

  private constructor(url: URL, process: ServiceProcess) {
    this.url = url
    this.#process = process
  }

  /** Resolves when it is ready. */
  static async start(system: WholeSystem, smtpUrl: string): Promise<SecondProcess> {
    const port = await freePort()
    const env = { MILLRACE_HOME: system.home, MAIL_PORT: String(port), LOG_LEVEL: 'error' }
    const { redisUrl, databaseUrl, secrets } = system
    const process = new ServiceProcess({
      order: {
        names: ['mail'],
        settings: systemSettings(env, false),
        ...{ secrets, redisUrl, databaseUrl, smtpUrl },
        inboxSmtpPort: 0,
        member: freshId(),
      },
      lifelines: () => [],
      say: () => undefined,
      launched: () => undefined,
    })
    await process.start()
    return new SecondProcess(new URL(`http://127.0.0.1:${port}`), process)
  }

  /** SIGKILL, and nobody starts it again. Resolves when it is gone. */
  async kill(): Promise<void> {
    const { pid } = this.#process
    if (pid === undefined) throw new Error('It does not run')
    process.kill(pid, 'SIGKILL')
    await this.stop()
  }

  stop(): Promise<void> {
    return this.#process.stop()
  }
}
