import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { KeeperSpec } from './keeper-messages.ts'
import type { RedisBinary } from './redis-binary.ts'

export interface RedisSpecOptions {
  readonly binary: RedisBinary
  /** Holds the configuration, the data and the socket. */
  readonly directory: string
  /** A loopback port; none when only the socket is wanted. */
  readonly port?: number
  /** Also listen on `<directory>/redis.sock`. */
  readonly unixSocket?: boolean
  readonly password?: string
  readonly appendonly: boolean
  /** Further lines of redis.conf. */
  readonly extra?: readonly string[]
}

/** Writes the configuration of a private Redis (mode 0600: it holds the password) and tells how to keep it. */
export function redisSpec(
  options: RedisSpecOptions,
): Pick<
  KeeperSpec,
  | 'name'
  | 'command'
  | 'args'
  | 'env'
  | 'cwd'
  | 'readyText'
  | 'readyTimeoutMs'
  | 'stopSignal'
  | 'stopTimeoutMs'
  | 'home'
> {
  const data = path.join(options.directory, 'data')
  const config = path.join(options.directory, 'redis.conf')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  writeFileSync(config, `${configuration(options, data).join('\n')}\n`, { mode: 0o600 })
  return {
    name: 'Redis',
    command: options.binary.command,
    args: [config],
    env: { LC_ALL: 'C', ...options.binary.env },
    cwd: data,
    readyText: 'ready to accept connections',
    // A long append-only file is read before the server answers.
    readyTimeoutMs: 120_000,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    home: { directory: data, processNames: ['redis-server', 'valkey-server'] },
  }
}

function configuration(options: RedisSpecOptions, data: string): string[] {
  return [
    'bind 127.0.0.1',
    `port ${options.port ?? 0}`,
    ...(options.unixSocket === true
      ? [`unixsocket ${quoted(path.join(options.directory, 'redis.sock'))}`, 'unixsocketperm 600']
      : []),
    `dir ${quoted(data)}`,
    'daemonize no',
    'save ""',
    `appendonly ${options.appendonly ? 'yes' : 'no'}`,
    'appendfsync everysec',
    // Evicting a key would be losing an event.
    'maxmemory-policy noeviction',
    ...(options.password === undefined ? [] : [`requirepass ${quoted(options.password)}`]),
    ...(options.extra ?? []),
  ]
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`
}
