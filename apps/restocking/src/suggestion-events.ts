import type { ServerSentEvent } from '@millrace/hono'
import type { FeedWatch } from './change-feed.ts'
import type { SuggestionStore } from './suggestion-port.ts'

/**
 * News of suggestions, each as it is now: `suggestion` with what it says, `gone` with its id when it was swept, `reset`
 * when changes were missed and the list must be read again. The id of each is where to go on.
 *
 * @param after Number of the last change that the client knows; NaN: from now on.
 */
export async function* suggestionEvents(
  store: Pick<SuggestionStore, 'feed' | 'feedTip' | 'get'>,
  watch: FeedWatch,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  let known = Number.isSafeInteger(after) && after >= 0 ? after : await store.feedTip()
  // So that the client knows where it stands before anything has changed.
  yield { event: 'ready', id: String(known), data: '{}' }
  while (!signal.aborted) {
    const { seq, ids } = await store.feed(known)
    if (ids === undefined) yield { event: 'reset', id: String(seq), data: '{}' }
    else
      for (const [at, id] of ids.entries()) {
        const suggestion = await store.get(id)
        // Only the last one of a page may say that all of it is known.
        const place = at === ids.length - 1 ? { id: String(seq) } : {}
        yield suggestion
          ? { event: 'suggestion', ...place, data: JSON.stringify(suggestion) }
          : { event: 'gone', ...place, data: JSON.stringify({ id }) }
      }
    if (seq === known) await watch.news(known, signal)
    known = seq
  }
}
