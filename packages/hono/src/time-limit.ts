import { MillraceError } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import type { KitEnv } from './environment.ts'

/**
 * Answers 503 `request.overdue` when the handler takes too long. The handler is not stopped by that: it finds
 * an aborted signal under `c.get('deadline')` and hands it to what it waits for.
 */
export function timeLimit(timeoutMs: number): MiddlewareHandler<KitEnv> {
  return async (c, next) => {
    const deadline = new AbortController()
    c.set('deadline', deadline.signal)
    let timer: NodeJS.Timeout | undefined
    const overdue = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new MillraceError('request.overdue', `The answer was not ready within ${timeoutMs} ms`)
        reject(error)
        deadline.abort(error)
      }, timeoutMs)
    })
    try {
      await Promise.race([next(), overdue])
    } finally {
      clearTimeout(timer)
    }
  }
}
