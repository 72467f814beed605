import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { MailFaults, type Refusal } from './mail-faults.ts'
import { MailRecord } from './mail-record.ts'
import { readToEnd } from './read-to-end.ts'
import { atSteadyPort } from './steady-port.ts'

/** The part of a posted mail that the server reads. */
interface PostedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * A provider's REST interface on a free loopback port: bearer token, `Idempotency-Key` (a repeat gets the
 * first answer), and the faults of {@link MailFaults} with HTTP statuses.
 */
export class FaultyMailApi {
  readonly record = new MailRecord()
  readonly faults = new MailFaults()
  readonly token: string
  /** Sent as `Retry-After` with every refusal. */
  retryAfter: string | undefined
  /** Requests that came with a key that was there already. */
  repeats = 0
  readonly #answers = new Map<string, string>()
  #server: Server
  #port = 0
  #open = 0
  #most = 0

  private constructor(token: string) {
    this.token = token
    this.#server = this.#build()
  }

  static async start(token = 'a-token'): Promise<FaultyMailApi> {
    const api = new FaultyMailApi(token)
    await atSteadyPort((port) => api.#listen(port))
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/emails`
  }

  /** The most requests that were in hand at once. */
  get mostAtOnce(): number {
    return this.#most
  }

  async down(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async up(): Promise<void> {
    this.#server = this.#build()
    await this.#listen(this.#port)
  }

  async stop(): Promise<void> {
    this.faults.heal()
    if (this.#server.listening) await this.down()
  }

  #build(): Server {
    return createServer((request, response) => {
      this.#open += 1
      this.#most = Math.max(this.#most, this.#open)
      response.once('close', () => (this.#open -= 1))
      this.#handle(request, response).catch(() => response.destroy())
    })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const turnedAway = this.faults.greeting() ?? this.faults.sender()
    if (turnedAway !== null) return this.#refuse(response, turnedAway)
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      return reply(response, 401, { message: 'unknown token' })
    }
    if (this.faults.cutsBody()) {
      request.socket.destroy()
      return
    }
    const raw = await readToEnd(request)
    await this.faults.delay()
    await this.#take(request, response, raw)
  }

  async #take(request: IncomingMessage, response: ServerResponse, raw: Uint8Array): Promise<void> {
    const mail = JSON.parse(Buffer.from(raw).toString('utf8')) as PostedMail
    const to = mail.to[0] ?? ''
    const key = String(request.headers['idempotency-key'])
    const first = this.#answers.get(key)
    if (first !== undefined) {
      this.repeats += 1
      return reply(response, 200, { id: first })
    }
    this.record.asked(to)
    const refused = this.faults.recipient(to) ?? this.faults.content()
    if (refused !== null) return this.#refuse(response, refused)
    const id = `mail-${this.#answers.size + 1}`
    this.#answers.set(key, id)
    const answered = !this.faults.cutsAnswer()
    const headers = new Map(
      Object.entries(mail.headers).map(([name, value]) => [name.toLowerCase(), [value]] as const),
    )
    const messageId = mail.headers['Message-ID'] ?? ''
    this.record.add({ ...mail, headers, messageId, raw, answered, smtpUtf8: false, idempotencyKey: key })
    if (answered) return reply(response, 200, { id })
    request.socket.destroy()
  }

  #refuse(response: ServerResponse, refusal: Refusal): void {
    if (this.retryAfter !== undefined) response.setHeader('retry-after', this.retryAfter)
    reply(response, refusal.responseCode, { message: refusal.message })
  }

  async #listen(port: number): Promise<void> {
    const listening = once(this.#server, 'listening')
    this.#server.listen(port, '127.0.0.1')
    await listening
    this.#port = port
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
