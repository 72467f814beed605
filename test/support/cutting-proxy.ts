import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Stands between a client and a server on loopback, and cuts connections where the test says. */
export interface CuttingProxy {
  readonly port: number
  /** Connections that were cut after the request had gone through and before its answer. */
  readonly cuts: number
  /** Cuts the next answer that comes from the server: the request went through, the answer is lost. */
  cutNextAnswer(): void
  /** Asked at each piece of an answer; true cuts it. Replaces the one before. */
  cutWhen(decide: () => boolean): void
  /** Connections that were cut before a request had gone through. */
  readonly requestCuts: number
  /** Asked at each piece of a request; true cuts it before the server has seen that piece. */
  cutRequestsWhen(decide: () => boolean): void
  close(): Promise<void>
}

/** Opens a proxy before a port of this machine; a function is asked for the port at each connection. */
export async function openCuttingProxy(target: number | (() => number)): Promise<CuttingProxy> {
  let decide: () => boolean = () => false
  let decideOnRequest: () => boolean = () => false
  let cuts = 0
  let requestCuts = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ port: typeof target === 'number' ? target : target(), host: '127.0.0.1' })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      // A reset is what this proxy is for; the other side learns of it by the destroy.
      socket.on('error', () => undefined)
    }
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    client.on('data', (piece) => {
      if (!decideOnRequest()) {
        upstream.write(piece)
        return
      }
      requestCuts += 1
      client.resetAndDestroy()
      upstream.destroy()
    })
    upstream.on('data', (piece) => {
      if (!decide()) {
        client.write(piece)
        return
      }
      cuts += 1
      client.resetAndDestroy()
      upstream.destroy()
    })
    client.on('close', end)
    upstream.on('close', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    get cuts() {
      return cuts
    },
    cutNextAnswer: () => {
      decide = () => {
        decide = () => false
        return true
      }
    },
    cutWhen: (next) => {
      decide = next
    },
    get requestCuts() {
      return requestCuts
    },
    cutRequestsWhen: (next) => {
      decideOnRequest = next
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
