import path from 'node:path'
import type { KeeperSpec } from './keeper-messages.ts'
import type { ServerUser } from './server-user.ts'

export interface PostgresSpecOptions {
  readonly binaries: string
  /** The cluster. */
  readonly data: string
  readonly user: ServerUser | undefined
  /** A loopback port. */
  readonly port: number
  /** Further settings, such as { fsync: 'off' } for tests. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Tells how to keep a private PostgreSQL: on loopback only, ready for logical replication. */
export function postgresSpec(
  options: PostgresSpecOptions,
): Omit<KeeperSpec, 'restart' | 'removeAtEnd' | 'logFile'> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: '',
    wal_level: 'logical',
    timezone: 'UTC',
    ...options.settings,
  }
  return {
    name: 'PostgreSQL',
    command: path.join(options.binaries, 'bin/postgres'),
    args: [
      '-D',
      options.data,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' },
    cwd: '/',
    ...(options.user === undefined ? {} : { user: options.user }),
    readyText: 'ready to accept connections',
    // After a crash the write-ahead log is replayed first.
    readyTimeoutMs: 120_000,
    // The fast shutdown: it does not wait for clients. SIGTERM would.
    stopSignal: 'SIGINT',
    stopTimeoutMs: 20_000,
    home: { directory: options.data, processNames: ['postgres'], pidFile: 'postmaster.pid' },
  }
}
