import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/event'
import { formatPosition, type Position } from '@millrace/log'
import type { GroupStore } from '@millrace/processor'
import { offers } from '../offers-topic.ts'

/** How often the group is asked, in ms. */
const pollMs = 25

/**
 * Resolves when the group has handled an event of a key. A key that is parked may take long: whoever waits is told so
 * at once.
 *
 * @throws MillraceError `view.behind`
 */
export async function handled(
  store: Pick<GroupStore, 'look' | 'loadStates'>,
  { group, key }: { readonly group: string; readonly key: string },
  position: Position,
  timeoutMs: number,
): Promise<void> {
  const at = { topic: offers, partition: position.partition, group }
  const text = formatPosition(position)
  const behind = (why: string) =>
    new MillraceError('view.behind', why, { details: { position: text, retryAfterSeconds: 1 } })
  for (const until = performance.now() + timeoutMs; ; await delay(pollMs)) {
    const { position: reached, ahead } = await store.look(at)
    const [stored] = await store.loadStates(at, [key])
    if (stored?.parked && stored.parked.head <= position.seq)
      throw behind(`An event of this key before ${text} waits for a retry or for an operator`)
    if (reached.seq >= position.seq || ahead.includes(position.seq)) return
    if (performance.now() >= until) throw behind(`${text} was not handled within ${timeoutMs} ms`)
  }
}
