import type { KitContext } from './environment.ts'

/**
 * Sets a header of the answer unless the handler has. Headers that were prepared before the handler ran are
 * lost when it returns a Response of its own, and a Response that came from fetch refuses changes.
 */
export function ensureHeader(c: KitContext, name: string, value: string): void {
  if (c.res.headers.has(name)) return
  try {
    c.res.headers.set(name, value)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const answer = new Response(c.res.body, c.res)
    answer.headers.set(name, value)
    c.res = answer
  }
}
