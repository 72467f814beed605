import { MillraceError } from '@millrace/event'
import { type KitEnv, type ServerSentEvent, serverSentEvents } from '@millrace/hono'
import type { Handler } from 'hono'
import type { MailStore } from './mail-store.ts'

const maxFeeds = 50

/** Tells a page, by server-sent events, that the inbox has changed; many changes at once are told once. */
export function mailFeed(store: MailStore): Handler<KitEnv> {
  let feeds = 0
  return (c) => {
    if (feeds >= maxFeeds) throw new MillraceError('request.limited', 'Too many pages watch the inbox')
    return serverSentEvents(c, async function* (signal) {
      feeds += 1
      try {
        yield* changes(store, signal)
      } finally {
        feeds -= 1
      }
    })
  }
}

async function* changes(store: MailStore, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
  let changed = false
  let wake = (): void => undefined
  const forget = store.onChange(() => {
    changed = true
    wake()
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      if (!changed) await new Promise<void>((resolve) => (wake = resolve))
      if (signal.aborted) return
      changed = false
      yield { event: 'changed', data: String(store.mails.length) }
    }
  } finally {
    forget()
    signal.removeEventListener('abort', onAbort)
  }
}
