import { asMillraceError, problemOf, type Problem } from './problem.ts'
import { bindingsOf, type KitContext } from './environment.ts'

/** Pieces of an answer that are made as the client takes them. The signal says that nobody takes them any more. */
export type Source = (signal: AbortSignal) => AsyncIterable<string>

/** Options of {@link streamAnswer}. */
export interface StreamOptions {
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent when there was nothing to send for a while, so that proxies and clients know the connection lives. */
  readonly heartbeat?: { readonly text: string; readonly everyMs: number }
  /** What is sent last when the source fails: the status has gone out long before. Default: nothing. */
  readonly onFailure?: (problem: Problem) => string
  /** Told of the failure, to log it. */
  readonly onError?: (error: unknown) => void
}

/**
 * Answers with a stream. The source is asked for a piece when the client has taken the one before
 * (back-pressure), and ends when the client goes away or the server stops.
 */
export function streamAnswer(c: KitContext, source: Source, options: StreamOptions): Response {
  const gone = new AbortController()
  const { stopping } = bindingsOf(c)
  const signal = stopping ? AbortSignal.any([gone.signal, stopping]) : gone.signal
  const pieces = new Pieces(source(signal)[Symbol.asyncIterator](), options.heartbeat)
  const failure = (error: unknown): string => {
    options.onError?.(error)
    const place = { instance: c.req.path, correlationId: c.get('correlationId') }
    return options.onFailure?.(problemOf(asMillraceError(error), place)) ?? ''
  }
  const headers = {
    'Content-Type': options.contentType,
    'X-Accel-Buffering': 'no',
    ...options.headers,
  }
  // Hono drops the body of an answer to HEAD, and tells nobody.
  if (c.req.method === 'HEAD') {
    gone.abort()
    pieces.end().catch((error: unknown) => options.onError?.(error))
    return c.body(null, 200, headers)
  }
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const piece = await pieces
          .next()
          .catch((error: unknown) => ({ last: signal.aborted ? '' : failure(error) }))
        if (typeof piece === 'string') return controller.enqueue(encoder.encode(piece))
        if (piece.last !== '') controller.enqueue(encoder.encode(piece.last))
        controller.close()
      },
      cancel: async () => {
        gone.abort()
        await pieces.end()
      },
    },
    // Nothing is made ahead of what the client takes; the socket has its own buffer.
    { highWaterMark: 0 },
  )
  return c.body(body, 200, headers)
}

/** The pieces of a source, with heartbeats where it is silent. */
class Pieces {
  readonly #from: AsyncIterator<string>
  readonly #heartbeat: StreamOptions['heartbeat']
  #waiting: Promise<IteratorResult<string, unknown>> | undefined

  constructor(from: AsyncIterator<string>, heartbeat: StreamOptions['heartbeat']) {
    this.#from = from
    this.#heartbeat = heartbeat
  }

  async next(): Promise<string | { readonly last: string }> {
    this.#waiting ??= this.#from.next()
    const result = await this.#orHeartbeat(this.#waiting)
    if (typeof result === 'string') return result
    this.#waiting = undefined
    return result.done === true ? { last: '' } : result.value
  }

  /** Lets the source clean up; it has been told by its signal before. */
  async end(): Promise<void> {
    await this.#from.return?.()
  }

  async #orHeartbeat<T>(waiting: Promise<T>): Promise<T | string> {
    if (!this.#heartbeat) return waiting
    const { text, everyMs } = this.#heartbeat
    let timer: NodeJS.Timeout | undefined
    const beat = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(text), everyMs)
    })
    try {
      return await Promise.race([waiting, beat])
    } finally {
      clearTimeout(timer)
    }
  }
}
