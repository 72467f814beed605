import path from 'node:path'
import type { Home } from '../home.ts'
import { projectRoot } from '../pinned-node.ts'
import type { Secrets } from '../secrets.ts'
import { freePort } from './free-port.ts'
import type { KeeperSpec } from './keeper-messages.ts'
import { KeptServer, ServerFailed } from './kept-server.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { preparePostgresData, roleName } from './postgres-data.ts'
import { postgresPlace } from './postgres-place.ts'
import { postgresSpec } from './postgres-spec.ts'
import { findRedis } from './redis-binary.ts'
import { redisSpec } from './redis-spec.ts'

/** What a private server is started with. */
export interface PrivateServerOptions {
  readonly home: Home
  readonly secrets: Secrets
  readonly say: (sentence: string) => void
  /** Told of the server before it is started, so that a stop in the middle of the start reaches it. */
  readonly keeping: (server: KeptServer) => void
}

const attempts = 5

/** Starts the private Redis on the home's data; resolves with its URL when it answers. */
export async function startPrivateRedis(options: PrivateServerOptions): Promise<string> {
  const { home, secrets, say } = options
  const binary = await findRedis(path.join(projectRoot, '.cache/redis'), say)
  const password = secrets.REDIS_PASSWORD
  const directory = home.path('redis')
  const port = await startOnFreePort(options, 'redis', (at) =>
    redisSpec({ binary, directory, port: at, password, appendonly: true }),
  )
  return `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}/0`
}

/** Starts the private PostgreSQL on the home's data; resolves with the URL of its database when it answers. */
export async function startPrivatePostgres(options: PrivateServerOptions): Promise<string> {
  const { home, secrets, say } = options
  const { directory, user } = postgresPlace(home, say)
  const binaries = postgresBinaries(user)
  const password = secrets.POSTGRES_PASSWORD
  const data = preparePostgresData({ binaries, directory, user, password })
  const port = await startOnFreePort(options, 'postgres', (at) =>
    postgresSpec({ binaries, data, user, port: at }),
  )
  return `postgres://${roleName}:${encodeURIComponent(password)}@127.0.0.1:${port}/${roleName}`
}

/** The port of the last time if it is free, so that tools keep their connection settings; else another. */
async function startOnFreePort(
  { home, say, keeping }: PrivateServerOptions,
  name: 'redis' | 'postgres',
  specAt: (port: number) => Omit<KeeperSpec, 'restart' | 'removeAtEnd' | 'logFile'>,
): Promise<number> {
  const remembered = home.readPrivate<Record<string, number>>('ports.json') ?? {}
  let port = remembered[name] ?? (await freePort())
  for (let attempt = 1; ; attempt += 1) {
    const logFile = home.path(`${name}.log`)
    const server = new KeptServer({ ...specAt(port), logFile, restart: true, removeAtEnd: [] }, say)
    keeping(server)
    try {
      await server.start()
      break
    } catch (error) {
      const taken = error instanceof ServerFailed && /address already in use/i.test(error.message)
      if (!taken || attempt === attempts) throw error
      port = await freePort()
    }
  }
  if (remembered[name] !== port)
    home.writePrivate('ports.json', {
      ...home.readPrivate<Record<string, number>>('ports.json'),
      [name]: port,
    })
  return port
}
