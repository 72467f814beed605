import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'

interface Pair {
  readonly client: Socket
  readonly upstream: Socket
}

/** Stands between a client and a server on loopback and does what networks do: cut, hang, refuse. */
export class CutProxy {
  readonly #server: Server
  readonly #target: number | (() => number)
  readonly #pairs = new Set<Pair>()
  #port = 0
  #cutAnswers = 0
  #cutsAnswer: () => boolean = () => false
  #cutsRequest: () => boolean = () => false
  #instead: string[] = []
  #hanging = false
  /** Answers that came from the server and were lost, each with its connection. */
  cuts = 0
  /** Connections that were cut before a request had gone through. */
  requestCuts = 0
  /** Connections that were made, from the beginning. */
  connections = 0

  private constructor(target: number | (() => number)) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  /** Opens a proxy before a port of this machine; a function is asked for the port at each connection. */
  static async open(target: number | (() => number)): Promise<CutProxy> {
    const proxy = new CutProxy(target)
    // Not any port: the system gives such a one to others while this one refuses.
    proxy.#port = await freePort()
    await proxy.accept()
    return proxy
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  /** Connections that stand now. */
  get open(): number {
    return this.#pairs.size
  }

  /** The next request goes through and is carried out; its answer is lost with the connection. */
  cutNextAnswer(): void {
    this.#cutAnswers = 1
  }

  /** Asked at each piece of an answer; true cuts it. Replaces the one before. */
  cutWhen(decide: () => boolean): void {
    this.#cutsAnswer = decide
  }

  /** Asked at each piece of a request; true cuts it before the server has seen that piece. */
  cutRequestsWhen(decide: () => boolean): void {
    this.#cutsRequest = decide
  }

  /** Cuts every connection at once, whatever is under way on it. */
  cutAll(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy()
      upstream.destroy()
    }
  }

  /** The next request does not go through; it gets this answer. */
  answerNext(text: string): void {
    this.#instead.push(text)
  }

  /** Nothing moves any more on any connection, and none of them ends. */
  hang(): void {
    this.#hanging = true
    for (const { client, upstream } of this.#pairs) {
      client.pause()
      upstream.pause()
    }
  }

  /** What was held back moves on, late. */
  resume(): void {
    this.#hanging = false
    for (const { client, upstream } of this.#pairs) {
      client.resume()
      upstream.resume()
    }
  }

  /** No connection stands and none can be made. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cutAll()
    await closed
  }

  /** Connections can be made again, at the same port. */
  async accept(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    this.resume()
    if (this.#server.listening) await this.refuse()
    this.cutAll()
  }

  #join(client: Socket): void {
    this.connections++
    const port = typeof this.#target === 'number' ? this.#target : this.#target()
    const upstream = connect({ port, host: '127.0.0.1' })
    const pair = { client, upstream }
    this.#pairs.add(pair)
    for (const socket of [client, upstream]) {
      // A reset is what this proxy is for; the other side learns of it by its end.
      socket.on('error', () => undefined)
      if (this.#hanging) socket.pause()
    }
    client.on('data', (piece) => {
      const instead = this.#instead.shift()
      if (instead !== undefined) client.write(instead)
      else if (this.#cutsRequest()) {
        this.requestCuts += 1
        client.resetAndDestroy()
        upstream.destroy()
      } else upstream.write(piece)
    })
    upstream.on('data', (piece) => {
      if (this.#cutAnswers > 0) this.#cutAnswers--
      else if (!this.#cutsAnswer()) {
        client.write(piece)
        return
      }
      this.cuts++
      client.resetAndDestroy()
      upstream.destroy()
    })
    // What a client sent before it went away is still delivered, as a network would.
    client.on('close', () => {
      upstream.end()
      this.#pairs.delete(pair)
    })
    upstream.on('close', () => client.destroy())
  }
}
