import { MillraceError } from '@millrace/event'
import type { KitContext } from './environment.ts'
import { streamAnswer } from './stream.ts'

/** Media type of JSON lines. */
export const jsonLinesType = 'application/x-ndjson'

/**
 * Answers with one JSON value a line. A failure ends the stream with a line `{"problem": …}`; `blankAfterMs`
 * of silence give an empty line, so that the client knows the connection lives.
 */
export function jsonLines(
  c: KitContext,
  source: (signal: AbortSignal) => AsyncIterable<unknown>,
  options: {
    readonly blankAfterMs?: number
    readonly headers?: Readonly<Record<string, string>>
    readonly onError?: (error: unknown) => void
  } = {},
): Response {
  const lines = async function* (signal: AbortSignal): AsyncGenerator<string> {
    for await (const value of source(signal)) yield `${JSON.stringify(value)}\n`
  }
  return streamAnswer(c, lines, {
    contentType: jsonLinesType,
    headers: { 'Cache-Control': 'no-store', ...options.headers },
    onFailure: (problem) => `${JSON.stringify({ problem })}\n`,
    ...(options.blankAfterMs === undefined
      ? {}
      : { heartbeat: { text: '\n', everyMs: options.blankAfterMs } }),
    ...(options.onError ? { onError: options.onError } : {}),
  })
}

/** Bounds of {@link readLines}. */
export interface LineLimits {
  /** Bytes of one line. */
  readonly maxLineBytes: number
  /** Bytes of the whole body. */
  readonly maxBytes: number
  /** Time for each piece of the body to arrive, in ms. */
  readonly pieceTimeoutMs: number
}

/** One line of a body, counted from 1. `bytes` is undefined when the line is longer than it may be. */
export interface BodyLine {
  readonly line: number
  readonly bytes: Uint8Array | undefined
}

/**
 * The lines of a body as they arrive; empty lines are left out but counted. A line that is too long is not
 * kept, only reported. Asks for more of the body when the lines before have been taken.
 *
 * @throws MillraceError `request.too-large`, `request.slow`, `request.malformed` (the connection was cut)
 */
export async function* readLines(
  body: ReadableStream<Uint8Array> | null,
  limits: LineLimits,
): AsyncGenerator<BodyLine> {
  if (!body) return
  const reader = body.getReader()
  const cutter = new LineCutter(limits.maxLineBytes)
  let size = 0
  try {
    for (;;) {
      const piece = await arrival(reader, limits.pieceTimeoutMs)
      if (!piece) break
      size += piece.byteLength
      if (size > limits.maxBytes)
        throw new MillraceError('request.too-large', `The body is larger than ${limits.maxBytes} bytes`)
      yield* cutter.cut(piece)
    }
    yield* cutter.rest()
  } finally {
    // Not awaited: what is left of the body is the server's to drain or to cut.
    reader.cancel().catch(() => undefined)
  }
}

async function arrival(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  let timer: NodeJS.Timeout | undefined
  const slow = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new MillraceError('request.slow', `Nothing of the body arrived for ${timeoutMs} ms`)),
      timeoutMs,
    )
  })
  try {
    const { done, value } = await Promise.race([reader.read(), slow])
    return done ? undefined : value
  } catch (error) {
    if (error instanceof MillraceError) throw error
    throw new MillraceError('request.malformed', 'The connection was cut before the whole body had arrived', {
      cause: error,
    })
  } finally {
    clearTimeout(timer)
  }
}

/** Cuts pieces of a body into lines, keeping at most one line. */
class LineCutter {
  readonly #most: number
  // What has come of the present line. Copied, so that one byte does not keep a whole piece in memory.
  #held = Buffer.allocUnsafe(0)
  #size = 0
  #line = 1

  constructor(maxLineBytes: number) {
    this.#most = maxLineBytes
  }

  *cut(piece: Uint8Array): Generator<BodyLine> {
    let from = 0
    for (let at = piece.indexOf(0x0a); at >= 0; at = piece.indexOf(0x0a, from)) {
      const part = piece.subarray(from, at)
      if (this.#size === 0) yield* this.#say(part.byteLength > this.#most ? undefined : part)
      else {
        this.#hold(part)
        yield* this.rest()
      }
      from = at + 1
    }
    this.#hold(piece.subarray(from))
  }

  /** What is held, as a line. */
  *rest(): Generator<BodyLine> {
    const bytes = this.#size > this.#most ? undefined : this.#held.subarray(0, this.#size)
    this.#held = Buffer.allocUnsafe(0)
    this.#size = 0
    yield* this.#say(bytes)
  }

  *#say(bytes: Uint8Array | undefined): Generator<BodyLine> {
    const line = this.#line++
    const blank = bytes?.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d) ?? false
    if (!blank) yield { line, bytes }
  }

  #hold(part: Uint8Array): void {
    const size = this.#size + part.byteLength
    if (size <= this.#most) {
      if (size > this.#held.byteLength) {
        const larger = Buffer.allocUnsafe(Math.min(this.#most, Math.max(size, this.#held.byteLength * 2)))
        this.#held.copy(larger, 0, 0, this.#size)
        this.#held = larger
      }
      this.#held.set(part, this.#size)
    }
    this.#size = size
  }
}
