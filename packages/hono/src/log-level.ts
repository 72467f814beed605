import { Hono } from 'hono'
import { z } from 'zod'
import { bearerToken } from './bearer-token.ts'
import type { KitEnv } from './environment.ts'
import { jsonBody } from './json-body.ts'
import type { KitLogger } from './ports.ts'

/** What {@link logLevelRoutes} needs. */
export interface LogLevelOptions {
  /** Whose level is set; it holds for all services of the process. */
  readonly logger: KitLogger & { level: string }
  readonly levels: readonly [string, ...string[]]
  /** Bearer tokens of those who may look and set. */
  readonly tokens: readonly string[]
}

/**
 * `GET /log-level` says how much is logged, `PUT /log-level` with `{"level":"debug"}` sets it until the process ends.
 * Whoever sets it has it in the log.
 */
export function logLevelRoutes({ logger, levels, tokens }: LogLevelOptions): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.use('/log-level', bearerToken({ tokens }))
  app.get('/log-level', (c) => c.json({ level: logger.level, levels }))
  app.put('/log-level', jsonBody(z.strictObject({ level: z.enum(levels) })), (c) => {
    const { level } = c.req.valid('json')
    const before = logger.level
    // Written in any case: a log that falls silent says why.
    logger.level = 'warn'
    logger.warn(`The log level is ${level} from now on; it was ${before}`)
    logger.level = level
    return c.json({ level, levels })
  })
  return app
}
