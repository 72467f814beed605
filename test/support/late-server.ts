import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** A way to a server whose words reach a client only when that has given up, all at once. */
export interface LateServer {
  readonly port: number
  /** Resolves when no connection is open any more. */
  close(): Promise<void>
}

/**
 * Opens it. To a client that does not trust the server, it has two things to say at once: that it is not to be trusted,
 * and that it did not expect the end.
 *
 * @param said Called when the server has said something that the client has not heard yet.
 */
export async function openLateServer(serverPort: number, said: () => void): Promise<LateServer> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const upstream = connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true })
    const kept: Buffer[] = []
    upstream.on('data', (piece) => {
      kept.push(typeof piece === 'string' ? Buffer.from(piece) : piece)
      said()
    })
    upstream.on('end', () => socket.end(Buffer.concat(kept)))
    socket.on('error', () => upstream.destroy())
    upstream.on('error', () => socket.destroy())
    socket.pipe(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
