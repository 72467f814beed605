import { once } from 'node:events'
import type { Socket } from 'node:net'
import { domainToASCII } from 'node:url'
import {
  SMTPServer,
  type SMTPServerDataStream,
  type SMTPServerOptions,
  type SMTPServerSession,
} from 'smtp-server'
import { MailFaults } from './mail-faults.ts'
import { MailRecord, parsedMail } from './mail-record.ts'
import { readToEnd } from './read-to-end.ts'
import { atSteadyPort } from './steady-port.ts'

export interface FaultySmtpServerOptions {
  /** TLS from the first byte; with a key and certificate as PEM. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Demands this user and password. */
  readonly auth?: { readonly user: string; readonly pass: string }
  /** Leaves SMTPUTF8 out of the greeting. */
  readonly hideSmtpUtf8?: boolean
}

/**
 * A real SMTP server on a free loopback port that does wrong what it is told to (`faults`), and records
 * every mail that it took or that it received whole before it hung up (`record`).
 */
export class FaultySmtpServer {
  readonly record = new MailRecord()
  readonly faults = new MailFaults()
  readonly #options: FaultySmtpServerOptions
  readonly #sockets = new Map<number, Socket>()
  #server: SMTPServer
  #port = 0
  #connections = 0
  #most = 0

  private constructor(options: FaultySmtpServerOptions) {
    this.#options = options
    this.#server = this.#build()
  }

  static async start(options: FaultySmtpServerOptions = {}): Promise<FaultySmtpServer> {
    const server = new FaultySmtpServer(options)
    await atSteadyPort((port) => server.#listen(port))
    return server
  }

  /** For a sender's `url`; with user and password when the server demands them. */
  get url(): string {
    const { auth, tls } = this.#options
    const login =
      auth === undefined ? '' : `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.pass)}@`
    return `${tls === undefined ? 'smtp' : 'smtps'}://${login}${tls === undefined ? '127.0.0.1' : 'localhost'}:${this.#port}`
  }

  /** Connections accepted so far. */
  get connections(): number {
    return this.#connections
  }

  /** The most connections that were open at once. */
  get mostAtOnce(): number {
    return this.#most
  }

  /** Stops listening and cuts what is open: connections are refused until `up`. The port stays the same. */
  async down(): Promise<void> {
    const closed = once(this.#server.server, 'close')
    this.#server.close()
    this.#cutAll()
    await closed
  }

  async up(): Promise<void> {
    this.#server = this.#build()
    await this.#listen(this.#port)
  }

  async stop(): Promise<void> {
    this.faults.heal()
    if (this.#server.server.listening) await this.down()
  }

  #build(): SMTPServer {
    const { tls, auth } = this.#options
    const options: SMTPServerOptions = {
      ...(tls === undefined ? { disabledCommands: ['STARTTLS'] } : { secure: true, ...tls }),
      authOptional: auth === undefined,
      allowInsecureAuth: true,
      hideSMTPUTF8: this.#options.hideSmtpUtf8 ?? false,
      hideENHANCEDSTATUSCODES: true,
      disableReverseLookup: true,
      logger: false,
      onAuth: (given, _session, done) => {
        const right = auth !== undefined && given.username === auth.user && given.password === auth.pass
        done(right ? null : new Error('Wrong user or password'), right ? { user: auth.user } : undefined)
      },
      onConnect: (_session, done) => done(this.faults.greeting()),
      onMailFrom: (_address, _session, done) => done(this.faults.sender()),
      onRcptTo: (address, _session, done) => {
        const recipient = asciiAddress(address.address)
        this.record.asked(recipient)
        done(this.faults.recipient(recipient))
      },
      onData: (stream, session, done) => {
        void this.#answer(stream, session, done)
      },
    }
    const server = new SMTPServer(options)
    // A client that hangs up is none of the server's business; without a listener it would end the test.
    server.on('error', () => undefined)
    server.server.on('connection', (socket: Socket) => this.#keep(socket))
    return server
  }

  async #answer(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    done: (error: Error | null) => void,
  ): Promise<void> {
    let outcome: Error | null
    try {
      outcome = await this.#receive(stream, session)
    } catch (error) {
      outcome = error instanceof Error ? error : new Error(String(error))
    }
    done(outcome)
  }

  async #receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<Error | null> {
    if (this.faults.cutsBody()) {
      this.#cut(session)
      return null
    }
    const raw = await readToEnd(stream)
    await this.faults.delay()
    const refused = this.faults.content()
    if (refused !== null) return refused
    const cut = this.faults.cutsAnswer()
    const { mailFrom, rcptTo } = session.envelope
    const to = rcptTo.map(({ address }) => asciiAddress(address))
    const from = mailFrom === false ? '' : mailFrom.address
    this.record.add(await parsedMail({ raw, from, to, answered: !cut, smtpUtf8: isSmtpUtf8(mailFrom) }))
    if (cut) this.#cut(session)
    return null
  }

  #keep(socket: Socket): void {
    const port = socket.remotePort ?? 0
    this.#connections += 1
    this.#sockets.set(port, socket)
    this.#most = Math.max(this.#most, this.#sockets.size)
    socket.once('close', () => this.#sockets.delete(port))
  }

  #cut(session: SMTPServerSession): void {
    this.#sockets.get(session.remotePort)?.destroy()
  }

  #cutAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }

  async #listen(port: number): Promise<void> {
    const listening = once(this.#server.server, 'listening')
    this.#server.listen(port, '127.0.0.1')
    await listening
    this.#port = port
  }
}

// smtp-server shows an international domain in Unicode, however it came.
function asciiAddress(address: string): string {
  const at = address.lastIndexOf('@') + 1
  return `${address.slice(0, at)}${domainToASCII(address.slice(at)) || address.slice(at)}`
}

function isSmtpUtf8(mailFrom: SMTPServerSession['envelope']['mailFrom']): boolean {
  return mailFrom !== false && typeof mailFrom.args === 'object' && 'SMTPUTF8' in mailFrom.args
}
