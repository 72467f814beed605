import type { IncomingMessage } from 'node:http'
import { MillraceError } from '@millrace/event'
import type { Context, MiddlewareHandler } from 'hono'
import { readBytes } from './byte-stream.ts'
import { headerOf, type KitEnv } from './environment.ts'

/** How much of a request body is taken, and how long it may take to arrive. */
export interface BodyLimits {
  /** Bytes. Default 262,144 (256 KiB). */
  readonly maxBytes?: number
  /** Milliseconds from the first look at the body until its last byte. Default 10,000. */
  readonly timeoutMs?: number
}

/** The limits of an app that states none. */
export const defaultBodyLimits = { maxBytes: 256 * 1024, timeoutMs: 10_000 } satisfies Required<BodyLimits>

const none: BodyLimits = {}

/** Sets the limits of all bodies below it; a route may set its own after it. */
export function bodyLimit(limits: BodyLimits = {}): MiddlewareHandler<KitEnv> {
  const whole = { ...defaultBodyLimits, ...limits }
  return (c, next) => {
    c.set('bodyLimits', whole)
    return next()
  }
}

/**
 * Reads the whole body within its limits. A second call gives the same bytes.
 *
 * @throws MillraceError `request.too-large`, `request.slow`, `request.media-type` (compressed),
 *   `request.malformed` (the connection was cut)
 */
export async function readBody<E extends KitEnv>(
  c: Context<E>,
  limits: BodyLimits = none,
): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes, timeoutMs } = checkedLimits(c, limits)
  if (!isRead(c)) {
    // Lets the parser hand over what came in one piece with the headers.
    await Promise.resolve()
    const piece = arrived(c)
    // A copy, because the piece is part of a larger buffer. Hono keeps promises here, so that c.req.text() and the
    // like give the same body.
    const arrayBuffer = piece
      ? Promise.resolve(new Uint8Array(piece).buffer)
      : within(timeoutMs, reading(c, maxBytes))
    Object.assign(c.req.bodyCache, { arrayBuffer })
  }
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes)
  return bytes
}

/**
 * Reads the whole body as {@link readBody} does, as text. A small one is read without a copy.
 *
 * @throws MillraceError `json.invalid` when it is not UTF-8, and those of {@link readBody}
 */
export async function readText<E extends KitEnv>(c: Context<E>, limits: BodyLimits = none): Promise<string> {
  const { maxBytes } = checkedLimits(c, limits)
  if (!isRead(c)) {
    await Promise.resolve()
    const piece = arrived(c)
    if (piece) {
      if (piece.byteLength > maxBytes) throw tooLarge(maxBytes)
      const text = utf8(piece)
      Object.assign(c.req.bodyCache, { text: Promise.resolve(text) })
      return text
    }
  }
  return utf8(await readBody(c, limits))
}

function isRead<E extends KitEnv>(c: Context<E>): boolean {
  const { arrayBuffer, text } = c.req.bodyCache
  return arrayBuffer !== undefined || text !== undefined
}

function checkedLimits<E extends KitEnv>(c: Context<E>, limits: BodyLimits): Required<BodyLimits> {
  const ofApp = c.get('bodyLimits') as Required<BodyLimits> | undefined
  const general = ofApp ?? defaultBodyLimits
  const checked = limits === none ? general : { ...general, ...limits }
  refuseDeclared(c, checked.maxBytes)
  refuseCompressed(c)
  return checked
}

/** Refuses a body whose declared length is above the limit, before a byte of it is read. */
export function refuseDeclared<E extends KitEnv>(c: Context<E>, maxBytes: number): void {
  const declared = headerOf(c, 'content-length')
  if (declared !== undefined && Number(declared) > maxBytes) throw tooLarge(maxBytes)
}

/** A small compressed body can unpack to gigabytes: none is taken. */
export function refuseCompressed<E extends KitEnv>(c: Context<E>): void {
  const encoding = headerOf(c, 'content-encoding')
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity')
    throw new MillraceError(
      'request.media-type',
      `The content encoding "${encoding.slice(0, 40)}" is not supported; send the body uncompressed`,
    )
}

/** Bytes as text. @throws MillraceError `json.invalid` when they are not UTF-8 */
export function utf8(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes)
  } catch (cause) {
    throw new MillraceError('json.invalid', 'The body is not UTF-8', { cause })
  }
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true })

function tooLarge(maxBytes: number): MillraceError {
  return new MillraceError('request.too-large', `The body is larger than ${maxBytes} bytes`, {
    details: { maxBytes },
  })
}

/**
 * The body, if the server has all of it already, as it mostly has when it is small. Saves the timer, the
 * listeners and the Fetch standard's streams: a fifth of what a small request costs.
 */
function arrived<E extends KitEnv>(c: Context<E>): Uint8Array | undefined {
  const { incoming } = (c.env as E['Bindings'] | undefined) ?? {}
  return incoming && arrivedIn(incoming)
}

/** The same of a request as Node has it. */
export function arrivedIn(incoming: IncomingMessage): Uint8Array | undefined {
  const length = Number(incoming.headers['content-length'] ?? 0)
  if (length === 0 || incoming.readableLength !== length || incoming.readableDidRead) return undefined
  const piece: unknown = incoming.read()
  incoming.resume()
  return piece instanceof Uint8Array ? piece : undefined
}

// Node's parser holds a declared length, so that reading at once is bounded; else the bytes are counted.
function reading<E extends KitEnv>(c: Context<E>, maxBytes: number): Promise<ArrayBuffer> {
  return headerOf(c, 'content-length') === undefined ? counted(c, maxBytes) : c.req.raw.arrayBuffer()
}

async function counted<E extends KitEnv>(c: Context<E>, maxBytes: number): Promise<ArrayBuffer> {
  const bytes = await readBytes(c.req.raw.body, maxBytes, () => tooLarge(maxBytes))
  return bytes.buffer
}

async function within(timeoutMs: number, reading: Promise<ArrayBuffer>): Promise<ArrayBuffer> {
  let timer: NodeJS.Timeout | undefined
  const slow = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new MillraceError('request.slow', `The body did not arrive within ${timeoutMs} ms`)),
      timeoutMs,
    )
  })
  try {
    return await Promise.race([reading, slow])
  } catch (error) {
    if (error instanceof MillraceError) throw error
    throw new MillraceError('request.malformed', 'The connection was cut before the whole body had arrived', {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
  }
}
