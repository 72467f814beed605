import { childTrace, currentScope, isSampled, tellWork, workTraced } from '@millrace/event'
import type { Mail } from './mail-sender.ts'

/** Hands a mail over; whoever traces hears of it, below the event that asks for it. No address is told. */
export async function tracedMail<T>({ messageId }: Mail, send: () => Promise<T>): Promise<T> {
  const scope = currentScope()
  const parent = scope?.traceparent
  if (parent === undefined || !workTraced()) return send()
  const [startMs, from] = [Date.now(), performance.now()]
  const ended = (failed?: { readonly error: unknown }): void =>
    tellWork({
      ...{ kind: 'mail', traceparent: childTrace(parent), parent, correlationId: scope?.correlationId },
      ...{ startMs, tookMs: performance.now() - from, messageId },
      ...failed,
    })
  try {
    const sent = await send()
    if (isSampled(parent)) ended()
    return sent
  } catch (error) {
    ended({ error })
    throw error
  }
}
