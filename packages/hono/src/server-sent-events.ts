import type { KitContext } from './environment.ts'
import { streamAnswer } from './stream.ts'

/** One message of a stream of server-sent events. */
export interface ServerSentEvent {
  readonly data: string
  /** What the client sends back as `Last-Event-ID` when it connects again. */
  readonly id?: string
  /** Name of the event; without it a browser calls `onmessage`. */
  readonly event?: string
}

/** Options of {@link serverSentEvents}. */
export interface ServerSentEventsOptions {
  /** A comment line after this much silence, in ms. Default 15,000. */
  readonly heartbeatMs?: number
  /** How long the client waits before it connects again, in ms. Default 1,000. */
  readonly retryMs?: number
  readonly onError?: (error: unknown) => void
}

/**
 * Answers with server-sent events (HTML standard, section 9.2). A failure ends the stream with an event named
 * `problem` whose data are problem details.
 */
export function serverSentEvents(
  c: KitContext,
  source: (signal: AbortSignal) => AsyncIterable<ServerSentEvent>,
  options: ServerSentEventsOptions = {},
): Response {
  const lines = async function* (signal: AbortSignal): AsyncGenerator<string> {
    yield `retry: ${options.retryMs ?? 1_000}\n\n`
    for await (const event of source(signal)) yield formatEvent(event)
  }
  return streamAnswer(c, lines, {
    contentType: 'text/event-stream',
    headers: { 'Cache-Control': 'no-store' },
    heartbeat: { text: ': still here\n\n', everyMs: options.heartbeatMs ?? 15_000 },
    onFailure: (problem) => formatEvent({ event: 'problem', data: JSON.stringify(problem) }),
    ...(options.onError ? { onError: options.onError } : {}),
  })
}

/** A message as it goes over the wire. Line breaks in the data become several `data:` lines. */
function formatEvent({ data, id, event }: ServerSentEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`)
  if (event !== undefined) lines.unshift(`event: ${oneLine(event)}`)
  if (id !== undefined) lines.unshift(`id: ${oneLine(id)}`)
  return `${lines.join('\n')}\n\n`
}

// A line break would begin a field of its own; a NUL makes clients ignore an id.
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out here
  return text.replaceAll(/[\u0000\r\n]/g, '')
}
