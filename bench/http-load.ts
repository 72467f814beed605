import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { numberMark, type RequestKind, requestText } from './http-requests.ts'
import type { Work } from './measure.ts'

/** A load: so many connections that are kept, with one request at a time on each. */
export interface LoadOrder extends RequestKind {
  readonly connections: number
  readonly seconds: number
}

interface LoadReport extends Work {
  /** Answers that were no success, and requests without one. */
  readonly wrong: number
}

/** Sends requests from a process of its own: wrk where there is one, because it takes the least from the server. */
export async function httpLoad(order: LoadOrder): Promise<Work> {
  const report = (await byWrk(order)) ?? (await byNode(order))
  if (report.wrong > 0) throw new Error(`${report.wrong} of ${report.events} requests went wrong`)
  return report
}

async function byWrk(order: LoadOrder): Promise<LoadReport | undefined> {
  const { connections, seconds, port } = order
  const directory = await mkdtemp(path.join(tmpdir(), 'millrace-load-'))
  try {
    const file = path.join(directory, 'request')
    await writeFile(file, requestText(order), 'latin1')
    const script = path.join(import.meta.dirname, 'http-load.lua')
    const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script]
    const { stdout } = await promisify(execFile)('wrk', [...args, `http://127.0.0.1:${port}`, '--', file])
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as LoadReport
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function byNode(order: LoadOrder): Promise<LoadReport> {
  const child = fork(import.meta.filename, ['load'], { execArgv: [] })
  child.send(order)
  const [report] = (await once(child, 'message')) as [LoadReport]
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
  readonly #text: string
  #sent = 0
  #answered = 0
  #wrong = 0
  #over = false

  constructor(order: LoadOrder) {
    this.#order = order
    this.#text = requestText(order)
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
    socket.on('error', () => (this.#wrong += 1))
    socket.on('data', (piece) => {
      text += piece.toString('latin1')
      const length = answerLength(text)
      if (length === undefined || text.length < length) return
      this.#answered += 1
      if (!text.startsWith('HTTP/1.1 2')) this.#wrong += 1
      text = text.slice(length)
      if (this.#over) socket.end()
      else this.#send(socket)
    })
    this.#send(socket)
    await once(socket, 'close')
  }

  #send(socket: Socket): void {
    const number = (++this.#sent).toString(16).padStart(8, '0')
    socket.write(this.#text.replaceAll(numberMark, number), 'latin1')
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
