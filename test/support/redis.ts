import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { projectRoot } from '../../apps/all-in-one/src/pinned-node.ts'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'
import { KeptServer } from '../../apps/all-in-one/src/servers/kept-server.ts'
import { findRedis } from '../../apps/all-in-one/src/servers/redis-binary.ts'
import { redisSpec } from '../../apps/all-in-one/src/servers/redis-spec.ts'

export interface TestRedisOptions {
  /** Keep an append-only file, so that data outlives `kill` and `restart`. Default: false. */
  readonly appendonly?: boolean
  /** Listen on a unix socket only: `url` is its path, `port` is 0. Default: false. */
  readonly unixSocket?: boolean
  /** Listen at `tlsPort` as well, with the certificate and the key of these files. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Further lines of redis.conf, such as 'maxmemory 10mb'. */
  readonly extra?: readonly string[]
}

/** A real Redis of one's own: private port, private temporary directory, gone with the test even if that is killed. */
export interface TestRedis {
  readonly url: string
  readonly port: number
  /** 0: it does not speak TLS. */
  readonly tlsPort: number
  /** Stops it cleanly and removes its directory. */
  stop(): Promise<void>
  /** SIGKILL to the server; it stays down until `restart`. */
  kill(): Promise<void>
  /** Starts it again on the same port and data, after a clean stop if it runs. */
  restart(): Promise<void>
}

const attempts = 5

/** Starts a private Redis. Resolves when it answers. */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const binary = await findRedis(path.join(projectRoot, '.cache/redis'), console.error)
  for (let attempt = 1; ; attempt += 1) {
    const directory = mkdtempSync(path.join(tmpdir(), 'millrace-redis-'))
    const port = options.unixSocket === true ? 0 : await freePort()
    const tlsPort = options.tls === undefined ? 0 : await freePort()
    const extra = [...(options.extra ?? []), ...tlsLines(tlsPort, options.tls)]
    const server = new KeptServer({
      ...redisSpec({ binary, directory, port, appendonly: false, ...options, extra }),
      restart: false,
      removeAtEnd: [directory],
    })
    try {
      await server.start()
    } catch (error) {
      // Somebody else may have taken the port between asking and listening.
      if (attempt < attempts && error instanceof Error && error.message.includes('in use')) continue
      throw error
    }
    const url = port === 0 ? path.join(directory, 'redis.sock') : `redis://127.0.0.1:${port}`
    return {
      url,
      port,
      tlsPort,
      stop: () => server.stop(),
      kill: () => server.kill(),
      restart: () => server.restart(),
    }
  }
}

function tlsLines(port: number, files: TestRedisOptions['tls']): readonly string[] {
  if (files === undefined) return []
  return [
    `tls-port ${port}`,
    `tls-cert-file ${files.certificate}`,
    `tls-key-file ${files.key}`,
    `tls-ca-cert-file ${files.certificate}`,
    'tls-auth-clients no',
  ]
}
