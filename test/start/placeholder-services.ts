/** Stands in for `apps/all-in-one/src/services.ts` in the checkouts that these tests start. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { ServiceContext, ServiceFactory } from '../../apps/all-in-one/src/service-factory.ts'

/** Counts its starts in Redis and PostgreSQL, and its stops in Redis; `/hang` blocks the process for good. */
async function startCounter(context: ServiceContext) {
  const redis = new Redis(context.redisUrl)
  const pool = new pg.Pool({ connectionString: context.databaseUrl })
  for (const connection of [redis, pool]) connection.on('error', () => undefined)
  await pool.query('CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())')
  await pool.query('INSERT INTO starts DEFAULT VALUES')
  await redis.incr('starts')
  const count = async (): Promise<string> => {
    const { rows } = await pool.query<{ n: string }>('SELECT count(*) AS n FROM starts')
    const [starts, stops] = (await redis.mget('starts', 'stops')).map(Number)
    const counts = { redis: starts, postgres: Number(rows[0]?.n), stops }
    return JSON.stringify({ pid: process.pid, ...counts })
  }
  const server = await listen(context, 'GATEWAY_PORT', (request, response) => {
    if (request.url === '/hang') hang()
    count().then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(503).end(String(error)),
    )
  })
  return {
    stop: async () => {
      close(server)
      await redis.incr('stops')
      redis.disconnect()
      await pool.end()
    },
  }
}

/** Says that it does, as nobody can ask. */
function hang(): never {
  console.log('The counter hangs')
  for (;;);
}

async function startPlain(context: ServiceContext) {
  const server = await listen(context, 'UNIQ_PORT', (_request, response) => response.end(String(process.pid)))
  return { stop: () => Promise.resolve(close(server)) }
}

async function listen(
  context: ServiceContext,
  port: 'GATEWAY_PORT' | 'UNIQ_PORT',
  listener: RequestListener,
): Promise<Server> {
  const server = createServer(listener).listen(context.settings[port], context.settings.HOST)
  await once(server, 'listening')
  return server
}

function close(server: Server): void {
  server.close()
  server.closeAllConnections()
}

export const serviceRegistry: readonly ServiceFactory[] = [
  {
    name: 'counter',
    summary: 'counts its starts',
    needs: ['redis', 'postgres'],
    ports: [{ setting: 'GATEWAY_PORT', shows: 'Counter' }],
    start: startCounter,
  },
  {
    name: 'plain',
    summary: 'needs nothing',
    needs: [],
    ports: [{ setting: 'UNIQ_PORT', shows: 'Plain' }],
    start: startPlain,
  },
]
