import type { Duplex } from 'node:stream'
import { MillraceError } from '@millrace/event'
import { problemHeaders, problemOf } from './problem.ts'

/**
 * Answers bytes that are not HTTP, headers that are too large or too slow: on the socket itself, because
 * there is no request to answer. For the `clientError` event of a node server.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const known = meaningOf(error)
  // 431 says more than 413 where the headers are what is too large (RFC 6585).
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : known.status
  const body = JSON.stringify({ ...problemOf(known, { instance: '/' }), status })
  const headers = {
    ...problemHeaders(known),
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end([`HTTP/1.1 ${status} ${reasons[status] ?? 'Bad Request'}`, ...lines, '', body].join('\r\n'))
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
}

function meaningOf(error: NodeJS.ErrnoException): MillraceError {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new MillraceError('request.slow', 'The request did not arrive in time')
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return new MillraceError('request.too-large', 'The headers are too large')
  return new MillraceError('request.malformed', 'The bytes are not HTTP/1.1')
}
