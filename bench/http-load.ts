import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { bodyOf, headersOf, type LoadKind } from './http-bodies.ts'
import type { Work } from './measure.ts'

/** What a load is told: it is a process of its own. */
export interface LoadOrder {
  readonly kind: LoadKind
  readonly port: number
  readonly path: string
  readonly token: string
  readonly connections: number
  readonly seconds: number
  /** Makes the bodies of this run differ from those of others. */
  readonly run: string
}

interface LoadReport extends Work {
  /** The first answer that was no success. */
  readonly wrong: string | undefined
}

/** Sends requests over kept connections, one at a time on each, from a process of its own. */
export async function httpLoad(order: LoadOrder): Promise<Work> {
  const child = fork(import.meta.filename, ['load'], { execArgv: [] })
  child.send(order)
  const [report] = (await once(child, 'message')) as [LoadReport]
  if (report.wrong !== undefined) throw new Error(`The server answered ${report.wrong}`)
  return report
}

if (process.argv[1] === import.meta.filename && process.argv[2] === 'load')
  process.once('message', (order: LoadOrder) => {
    void new Load(order).run().then((report) => {
      process.send?.(report)
      process.disconnect?.()
    })
  })

class Load {
  readonly #order: LoadOrder
  readonly #head: string
  #sent = 0
  #answered = 0
  #wrong: string | undefined
  #over = false

  constructor(order: LoadOrder) {
    this.#order = order
    const lines = Object.entries(headersOf(order)).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#head = `POST ${order.path} HTTP/1.1\r\nHost: 127.0.0.1:${order.port}\r\n${lines.join('')}Content-Length: `
  }

  async run(): Promise<LoadReport> {
    const { port, connections, seconds } = this.#order
    const sockets = Array.from({ length: connections }, () =>
      connect({ port, host: '127.0.0.1', noDelay: true }),
    )
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const start = performance.now()
    const ended = sockets.map((socket) => this.#converse(socket))
    const timer = setTimeout(() => (this.#over = true), seconds * 1_000)
    await Promise.all(ended)
    clearTimeout(timer)
    return { events: this.#answered, seconds: (performance.now() - start) / 1_000, wrong: this.#wrong }
  }

  /** Request and answer by turns, until the time is over; resolves when the connection has ended. */
  async #converse(socket: Socket): Promise<void> {
    let text = ''
    socket.on('error', (error) => (this.#wrong ??= error.message))
    socket.on('data', (piece) => {
      text += piece.toString('latin1')
      const length = answerLength(text)
      if (length === undefined || text.length < length) return
      this.#take(text)
      text = text.slice(length)
      if (this.#over) socket.end()
      else this.#send(socket)
    })
    this.#send(socket)
    await once(socket, 'close')
  }

  #send(socket: Socket): void {
    const body = bodyOf(this.#order, ++this.#sent)
    socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, 'latin1')
  }

  #take(text: string): void {
    this.#answered += 1
    if (text.startsWith('HTTP/1.1 2')) return
    this.#wrong ??= text.slice(0, 600)
    this.#over = true
  }
}

/** Bytes of the answer that stands at the beginning, as soon as they are known. */
function answerLength(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const body = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1]
  if (body === undefined) throw new Error(`An answer without length: ${text.slice(0, end)}`)
  return end + 4 + Number(body)
}
