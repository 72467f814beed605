import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import type { DashboardQueue } from '@millrace/bullmq'
import { Hono } from 'hono'
import { type JobRuling, RetryAdapter } from './retry-adapter.ts'

/** Content-Security-Policy of the board: everything from here. Its page has styles inline, and no script. */
export const boardPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'"

const descriptions = {
  retry:
    'Parked keys. Delayed: a retry is planned. Failed: the key waits for you; Retry runs its first event again.',
  effect:
    'An action on the outside world. A job here says that the other end is away, and what waits for it.',
} as const

/** The dashboard of BullMQ for one role, below `basePath`. */
export function board(
  queues: readonly DashboardQueue[],
  options: {
    readonly basePath: string
    readonly readOnly: boolean
    readonly rule: (ruling: JobRuling) => Promise<void>
  },
): Hono {
  const { basePath, readOnly, rule } = options
  const serverAdapter = new HonoAdapter(serveStatic)
  serverAdapter.setBasePath(basePath)
  createBullBoard({
    serverAdapter,
    queues: queues.map(({ kind, queue }) =>
      kind === 'retry'
        ? new RetryAdapter(queue, { readOnly, rule, description: descriptions.retry })
        : new BullMQAdapter(queue, { readOnlyMode: true, description: descriptions.effect }),
    ),
    options: {
      uiConfig: {
        boardTitle: readOnly ? 'Millrace queues (read only)' : 'Millrace queues',
        hideDocsLink: true,
        hideRedisDetails: true,
        showWorkers: false,
        miscLinks: [{ text: 'Log out', url: `${basePath}/logout` }],
        pollingInterval: { showSetting: true },
      },
    },
  })
  return new Hono({ strict: false }).route(basePath, serverAdapter.registerPlugin())
}
