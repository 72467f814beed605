import { MillraceError } from '@millrace/event'
import pg from 'pg'
import { databaseFailure } from '../database-failure.ts'
import { strictTls } from '../pool.ts'
import { lsnText } from './lsn.ts'
import { changesUrl } from './replication-url.ts'

/** What came over the wire. */
export type Frame =
  | { readonly kind: 'data'; readonly bytes: Buffer }
  /** Everything that was committed before `end` has been sent. */
  | { readonly kind: 'keepalive'; readonly end: bigint }

/** What to read. */
export interface WireOptions {
  readonly url: string
  readonly slot: string
  readonly publication: string
  readonly from: bigint
  readonly applicationName: string
  /** After how long without a word the server counts as gone, in ms. */
  readonly silenceMs: number
}

/** Bytes that may wait before reading is paused, and below which it goes on. */
const full = 8 * 1024 * 1024
const roomy = 1024 * 1024
/** How often the server is told that we are there, in ms; it gives up after wal_sender_timeout, 60 s by default. */
const statusMs = 5_000
/** Microseconds from 1970 to 2000. */
const epochMicros = 946_684_800_000_000n

/**
 * The streaming replication protocol (https://www.postgresql.org/docs/current/protocol-replication.html) on a connection
 * of the driver, which does the log-in and TLS. Nothing is confirmed but by `confirm`, and exactly that: libraries that add
 * one to the confirmed place skip a transaction whose commit record begins there.
 */
export class ReplicationWire {
  readonly #client: pg.Client
  readonly #frames: Frame[] = []
  #waiting = 0
  #isPaused = false
  #confirmed: bigint
  #failure: Error | undefined
  #isClosed = false
  #wake: () => void = () => undefined
  readonly #silenceMs: number
  readonly #timer: NodeJS.Timeout
  /** Most asks in a row that may go without a word. They are counted, not timed: who was held up has not listened. */
  readonly #mostUnanswered: number
  #unanswered = 0

  private constructor(client: pg.Client, from: bigint, silenceMs: number) {
    this.#client = client
    this.#confirmed = from
    this.#silenceMs = silenceMs
    const everyMs = Math.min(statusMs, silenceMs / 4)
    this.#mostUnanswered = Math.ceil(silenceMs / everyMs)
    this.#timer = setInterval(() => this.#ask(), everyMs)
  }

  /** @throws MillraceError `service.unavailable`, also while another connection has the slot */
  static async open(options: WireOptions): Promise<ReplicationWire> {
    const client = new pg.Client({
      connectionString: strictTls(changesUrl(options.url, 'replication')),
      application_name: options.applicationName,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    })
    let wire: ReplicationWire | undefined
    const failed = (error: Error) => {
      if (wire) wire.#end(error)
    }
    client.on('error', failed)
    try {
      await client.connect()
      const { connection } = client
      const started = new Promise<void>((resolve) => connection.once('replicationStart', () => resolve()))
      wire = new ReplicationWire(client, options.from, options.silenceMs)
      const mine = wire
      connection.on('copyData', ({ chunk }: { readonly chunk: Buffer }) => mine.#take(chunk))
      client.on('end', () => mine.#end(new Error('The connection has ended')))
      const { slot, publication, from } = options
      const reading = client.query(
        `START_REPLICATION SLOT "${slot}" LOGICAL ${lsnText(from)}
         (proto_version '1', publication_names '"${publication}"', messages 'true')`,
      )
      // The statement lasts as long as the stream does.
      const over = reading.then(
        () => mine.#end(new Error('The server has ended the stream')),
        (error: unknown) => mine.#end(error instanceof Error ? error : new Error('The stream has failed')),
      )
      await Promise.race([started, over])
      if (mine.#failure) throw mine.#failure
      return mine
    } catch (error) {
      await wire?.close()
      await client.end().catch(() => undefined)
      throw asUnavailable(error)
    }
  }

  /** The next frame; waits for it. Undefined after `close`. @throws MillraceError `service.unavailable` */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame) {
        if (frame.kind === 'data') this.#waiting -= frame.bytes.length
        if (this.#isPaused && this.#waiting < roomy) this.#pause(false)
        return frame
      }
      if (this.#isClosed) return undefined
      if (this.#failure) throw asUnavailable(this.#failure)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Lets whoever waits for the next frame look around. */
  nudge(): void {
    this.#wake()
  }

  /** Everything before this place is safe elsewhere. */
  confirm(lsn: bigint): void {
    if (lsn <= this.#confirmed) return
    this.#confirmed = lsn
    this.#tell()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#wake()
    // A paused socket would never see the other side's goodbye.
    this.#client.connection.stream.destroy()
  }

  #take(chunk: Buffer): void {
    this.#unanswered = 0
    if (chunk[0] === 0x77) {
      // A copy: the driver uses its buffer again for what comes next.
      this.#frames.push({ kind: 'data', bytes: Buffer.from(chunk.subarray(25)) })
      this.#waiting += chunk.length - 25
      if (!this.#isPaused && this.#waiting > full) this.#pause(true)
    } else if (chunk[0] === 0x6b) {
      // While nobody takes them, one stands for all.
      if (this.#frames.at(-1)?.kind === 'keepalive') this.#frames.pop()
      this.#frames.push({ kind: 'keepalive', end: chunk.readBigUInt64BE(1) })
      if (chunk[17] === 1) this.#tell()
    }
    this.#wake()
  }

  #pause(pause: boolean): void {
    this.#isPaused = pause
    const { stream } = this.#client.connection
    if (pause) stream.pause()
    else stream.resume()
    this.#unanswered = 0
  }

  /** A server that is gone without a word is noticed by nobody else: its answer is asked for, and waited for. */
  #ask(): void {
    if (this.#isPaused || this.#unanswered < this.#mostUnanswered) {
      this.#unanswered += 1
      return this.#tell(true)
    }
    this.#end(new Error(`The server has said nothing for ${this.#silenceMs} ms`))
    this.#client.connection.stream.destroy()
  }

  /** A standby status update, as a CopyData message. The server answers one that asks for it with a keepalive. */
  #tell(asksForAnswer = false): void {
    const { stream } = this.#client.connection
    if (this.#isClosed || this.#failure || !stream.writable) return
    const message = Buffer.alloc(5 + 34)
    message.write('d', 0)
    message.writeInt32BE(4 + 34, 1)
    message.write('r', 5)
    for (const at of [6, 14, 22]) message.writeBigUInt64BE(this.#confirmed, at)
    message.writeBigInt64BE(BigInt(Date.now()) * 1_000n - epochMicros, 30)
    message.writeUInt8(asksForAnswer ? 1 : 0, 38)
    stream.write(message)
  }

  #end(error: Error): void {
    this.#failure ??= error
    clearInterval(this.#timer)
    this.#wake()
  }
}

function asUnavailable(error: unknown): unknown {
  const failure = databaseFailure(error)
  if (failure instanceof MillraceError) return failure
  const why = error instanceof Error ? error.message : 'The stream has failed'
  return new MillraceError('service.unavailable', why, { cause: error })
}
