import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { MillraceError } from '@millrace/event'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerOptions } from 'smtp-server'
import type { Envelope } from './stored-mail.ts'

export interface SmtpReceiverOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Larger mails are refused. */
  readonly maxMailBytes: number
  /** Connections at once; more are turned away for the moment. */
  readonly maxConnections: number
  /** Keeps a mail. The client hears that the mail was taken only when this has resolved. */
  readonly onMail: (envelope: Envelope, raw: Buffer) => Promise<unknown>
}

/** An SMTP server that takes every mail, from anybody to anybody, with any password or none. */
export interface SmtpReceiver {
  /** Such as `smtp://127.0.0.1:41234`. */
  readonly url: string
  stop(): Promise<void>
}

/** @throws MillraceError `port.taken` */
export async function startSmtpReceiver(options: SmtpReceiverOptions): Promise<SmtpReceiver> {
  const server = new SMTPServer(serverOptions(options))
  const listener = server.server
  const failed = new Promise<never>((_resolve, reject) => server.once('error', reject))
  server.listen(options.port, options.host)
  try {
    await Promise.race([once(listener, 'listening'), failed])
  } catch (cause) {
    throw new MillraceError('port.taken', `The inbox cannot listen on ${options.host}:${options.port}`, {
      cause,
    })
  }
  // From now on these are clients that hang up; without a listener they would end the process.
  server.on('error', () => undefined)
  const { port } = listener.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return { url: `smtp://${host}:${port}`, stop: () => stopped(server) }
}

function serverOptions({ maxMailBytes, maxConnections, onMail }: SmtpReceiverOptions): SMTPServerOptions {
  return {
    name: 'inbox',
    banner: 'Millrace inbox: takes every mail and delivers none',
    size: maxMailBytes,
    maxClients: maxConnections,
    socketTimeout: 60_000,
    closeTimeout: 1_000,
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    allowInsecureAuth: true,
    lenientAddressParsing: true,
    disableReverseLookup: true,
    logger: false,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? 'anybody' }),
    onData(stream, { envelope }, done) {
      const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
      const to = envelope.rcptTo.map(({ address }) => address)
      void answered(
        receive(stream, (raw) => onMail({ from, to }, raw)),
        done,
      )
    },
  }
}

async function receive(stream: SMTPServerDataStream, keep: (raw: Buffer) => Promise<unknown>): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    // Read on, as the client hears nothing before its end, but keep no more.
    if (!stream.sizeExceeded) chunks.push(chunk)
  }
  if (stream.sizeExceeded) throw Object.assign(new Error('The mail is too large'), { responseCode: 552 })
  await keep(Buffer.concat(chunks))
}

async function answered(work: Promise<void>, done: (error?: Error | null) => void): Promise<void> {
  let failure: Error | null = null
  try {
    await work
  } catch (error) {
    // 452: come again. A full disk must not make the sender give up for good.
    failure = error instanceof Error && 'responseCode' in error ? error : temporary()
  }
  done(failure)
}

function temporary(): Error {
  return Object.assign(new Error('The mail could not be kept'), { responseCode: 452 })
}

function stopped(server: SMTPServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
