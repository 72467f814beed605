import type { Hono } from 'hono'
import { Hono as HonoApp } from 'hono'
import type { KitEnv } from './environment.ts'
import { httpApp, type HttpAppOptions } from './http-app.ts'
import { type OpsAddress, opsIndex } from './ops-index.ts'
import type { ReadinessReport } from './ports.ts'

/** What the operator's addresses need. */
export interface OpsOptions {
  readonly health: {
    report(): Promise<ReadinessReport>
    /** Whether everything was started once. */
    readonly started: boolean
  }
  /** Without it there is no `/metrics`. */
  readonly metrics?: {
    /** In the format that the `Accept` header asks for. */
    exposition(accept?: string): Promise<{ readonly contentType: string; readonly text: string }>
  }
  readonly version: string
}

const ownAddresses: readonly OpsAddress[] = [
  { path: '/health/live', shows: 'the process runs' },
  { path: '/health/startup', shows: 'everything was started' },
  { path: '/health/ready', shows: 'each dependency with its state' },
  { path: '/metrics', shows: 'the figures that Prometheus collects' },
]

/** An app with nothing but the operator's addresses, for a listener of its own. */
export function opsApp(
  options: OpsOptions & {
    readonly http: HttpAppOptions
    /** What else is on this listener, for its front page. */
    readonly addresses?: readonly OpsAddress[]
  },
): Hono<KitEnv> {
  const app = httpApp(options.http)
  app.route('/', opsRoutes(options))
  const own = ownAddresses.filter(({ path }) => path !== '/metrics' || options.metrics !== undefined)
  app.route('/', opsIndex('Millrace operations', [...(options.addresses ?? []), ...own]))
  return app
}

/**
 * `/health/live`: the process runs. `/health/startup`: 503 until all of it was started, then 200 for good.
 * `/health/ready`: each dependency with its own state, 503 when the whole is down; degraded is 200, because it still
 * answers. `/metrics`: the text format of Prometheus, or OpenMetrics for whoever asks for it.
 */
export function opsRoutes(options: OpsOptions): Hono<KitEnv> {
  const { health, metrics, version } = options
  const app = new HonoApp<KitEnv>()
  app.get('/health/live', (c) =>
    c.json({ state: 'ok', version, uptimeSeconds: Math.floor(process.uptime()) }),
  )
  app.get('/health/startup', (c) =>
    health.started ? c.json({ state: 'started', version }) : c.json({ state: 'starting', version }, 503),
  )
  app.get('/health/ready', async (c) => {
    const report = await health.report()
    return c.json({ ...report, version }, report.state === 'down' ? 503 : 200)
  })
  if (metrics)
    app.get('/metrics', async (c) => {
      const { contentType, text } = await metrics.exposition(c.req.header('accept'))
      return c.body(text, 200, { 'Content-Type': contentType, Vary: 'Accept' })
    })
  return app
}
