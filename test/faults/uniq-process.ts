import { accounts } from '@millrace/accounts'
import { serveHttp } from '@millrace/hono'
import type { ClaimRegister, EventLog } from '@millrace/log'
import { connectLog } from '@millrace/redis'
import { contextStore } from '@millrace/service'
import { createUniq } from '@millrace/uniq'
import { createUniqApp, createUniqService } from '@millrace-app/uniq'
import { constraints, keyring, serviceToken } from './contested-accounts.ts'
import { logWithScript } from './log-with-script.ts'

/** What a Uniq process is told at its start. */
export interface UniqOrder {
  readonly redisUrl: string
  /** Text of the append script. Default: as it is. */
  readonly script: string | undefined
}

/** What it says. */
export type UniqReport =
  | { readonly type: 'listening'; readonly port: number }
  /** So many units met a closed gate. */
  | { readonly type: 'gated'; readonly units: number }
  /** Something that no fault of a run explains. */
  | { readonly type: 'complaint'; readonly message: string }

// A process of its own, so that it can be killed and paused. It ends with whoever started it.
process.once('disconnect', () => process.exit())
process.once('message', (order: UniqOrder) => {
  serve(order).catch((error: unknown) => {
    say({
      type: 'complaint',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
    process.exitCode = 1
  })
})

function say(report: UniqReport): void {
  if (process.connected) process.send?.(report)
}

async function serve({ redisUrl, script }: UniqOrder): Promise<void> {
  // Its first connection may be cut several times on a slow machine.
  const log =
    script === undefined
      ? await connectLog({ url: redisUrl, connectTimeoutMs: 30_000 })
      : await logWithScript(redisUrl, script)
  const guard = createUniq({ log: reporting(log), topic: accounts, constraints, keyring })
  const complain = (message: string, fields?: unknown) =>
    say({ type: 'complaint', message: `${message} ${JSON.stringify(fields)}` })
  const silent = () => undefined
  const app = createUniqApp({
    service: createUniqService({ guards: [guard] }),
    tokens: [serviceToken],
    http: {
      logger: { debug: silent, info: silent, warn: silent, error: complain },
      context: contextStore,
    },
  })
  const server = await serveHttp(app, { port: 0 })
  say({ type: 'listening', port: server.port })
}

function reporting<L extends Pick<EventLog, 'append'> & ClaimRegister>(
  log: L,
): Pick<EventLog, 'append'> & ClaimRegister {
  return {
    append: async (topic, units) => {
      const results = await log.append(topic, units)
      const gated = results.filter((one) => one.status === 'refused' && one.error.code === 'append.gated')
      if (gated.length > 0) say({ type: 'gated', units: gated.length })
      return results
    },
    ownerOf: (...args) => log.ownerOf(...args),
    liveVersions: (topic) => log.liveVersions(topic),
  }
}
