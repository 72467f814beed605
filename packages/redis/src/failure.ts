import { MillraceError } from '@millrace/event'

const refusing =
  /^(READONLY|OOM|MISCONF|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|TRYAGAIN|BUSY|NOAUTH|WRONGPASS|NOPERM)\b/
const corrupt = /WRONGTYPE|CORRUPT|equal or smaller than the target stream/

/**
 * Says what a failed write means: refused by the server (nothing written), never sent (nothing written),
 * or unknown (sent, but no reply came).
 *
 * @param where What was written to, for a person to look at.
 */
export function writeFailure(error: unknown, where = 'Redis'): MillraceError {
  if (error instanceof MillraceError) return error
  const message = messageOf(error)
  if (isReply(error) || corrupt.test(message)) return replyFailure(message, where, error)
  if (neverSent(message))
    return new MillraceError('log.unavailable', 'Redis cannot be reached; nothing was written', {
      cause: error,
    })
  return new MillraceError('append.unknown', undefined, { cause: error })
}

/** Says what Redis's own words mean, when it refused a write. */
export function replyFailure(words: string, where: string, cause?: unknown): MillraceError {
  if (corrupt.test(words)) return new MillraceError('log.corrupt', `${where}: ${words}`, { cause })
  const code = refusing.test(words) ? 'log.unavailable' : 'internal'
  return new MillraceError(code, `Redis refused: ${words}`, { cause })
}

/** Says what a failed read means. */
export function readFailure(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  const message = messageOf(error)
  if (corrupt.test(message)) return new MillraceError('log.corrupt', message, { cause: error })
  return new MillraceError('log.unavailable', 'Redis cannot be read', { cause: error })
}

// ioredis hangs the whole command on its errors, events and all: whoever logs a cause must not log those.
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  Reflect.deleteProperty(error, 'command')
  return error.message
}

/** Whether the server has answered that it refuses, so that the command is known to have failed. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

// ioredis's words for a command that it did not put on the wire.
function neverSent(message: string): boolean {
  return message.includes("Stream isn't writeable") || message.includes('enableOfflineQueue')
}
