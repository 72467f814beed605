import { createConnection, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector } from 'ioredis'
import type { ServerPlace } from './address.ts'

/**
 * Connects as ioredis does by itself, but hears all errors of a socket. Its own connector (6.0) hears the first one alone,
 * and a TLS connection that is given up in its handshake may have two: that the certificate is not trusted, and that the
 * server did not expect the end. The second one ended the process.
 *
 * @param disconnectTimeoutMs How long a disconnect waits for the other side.
 */
export function connectorTo(
  { tls, ...place }: ServerPlace,
  disconnectTimeoutMs: number,
): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(disconnectTimeoutMs)
    }

    async connect(): Promise<Socket> {
      this.connecting = true
      // A disconnect in the same turn is to find it connecting.
      await new Promise<void>((resolve) => process.nextTick(resolve))
      if (!this.connecting) throw new Error('Connection is closed.')
      const at = place.path === undefined ? { host: place.host, port: place.port ?? 0 } : { path: place.path }
      const stream = tls ? connectTls({ ...at, ...tls }) : createConnection(at)
      stream.on('error', (error) => {
        this.firstError ??= error
      })
      this.stream = stream
      return stream
    }
  }
}
