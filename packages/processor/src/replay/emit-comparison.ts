import type { Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import type { Emit } from '../model/outcome.ts'

/** What became of the emits of a replay: none was sent. */
export interface EmitCounts {
  /** As they are on their topic. */
  readonly same: number
  /** On their topic with another type or other data. */
  readonly different: number
  /** Not on their topic: the present program would have emitted more. */
  readonly missing: number
}

const pageEvents = 500
const mostCursors = 2_000
const atOnce = 16
/** How often it is looked from the beginning; what is not met after that counts as missing. */
const mostRewalks = 1_000

interface Cursor {
  /** Events of the key that have come by and were not asked for yet, by id. */
  readonly seen: Map<string, string>
  version: number
}

/**
 * Compares what a replay emits with what lies on the target topics, key by key. Those of one key were emitted in the
 * same order, so both histories are walked along once; what is not met that way is looked for from the beginning.
 */
export class EmitComparison {
  readonly #log: Pick<EventLog, 'readKey'>
  readonly #cursors = new Map<string, Cursor>()
  #waiting: Emit[] = []
  #rewalks = 0
  #counts = { same: 0, different: 0, missing: 0 }

  constructor(log: Pick<EventLog, 'readKey'>) {
    this.#log = log
  }

  get counts(): EmitCounts {
    return { ...this.#counts }
  }

  add(emits: readonly Emit[]): void {
    this.#waiting.push(...emits)
  }

  /** Looks for everything that was added. */
  async settle(): Promise<void> {
    const byKey = new Map<string, Emit[]>()
    for (const emit of this.#waiting) {
      const name = `${emit.topic.name}\n${emit.event.subject}`
      byKey.set(name, [...(byKey.get(name) ?? []), emit])
    }
    this.#waiting = []
    const work = [...byKey].values()
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const [name, emits] of work) await this.#compareKey(name, emits)
      }),
    )
  }

  async #compareKey(name: string, emits: readonly Emit[]): Promise<void> {
    let cursor = this.#cursors.get(name) ?? { seen: new Map<string, string>(), version: 0 }
    for (const { topic, event } of emits) {
      let found = await this.#walkTo(cursor, topic, event.subject, event.id)
      if (found === undefined && cursor.version > pageEvents && this.#rewalks < mostRewalks) {
        this.#rewalks += 1
        cursor = { seen: new Map(), version: 0 }
        found = await this.#walkTo(cursor, topic, event.subject, event.id)
      }
      if (found === undefined) this.#counts.missing += 1
      else if (found === textOf(event)) this.#counts.same += 1
      else this.#counts.different += 1
    }
    this.#cursors.delete(name)
    this.#cursors.set(name, cursor)
    for (const [oldest] of this.#cursors) {
      if (this.#cursors.size <= mostCursors) break
      this.#cursors.delete(oldest)
    }
  }

  async #walkTo(cursor: Cursor, topic: Topic, key: string, id: string): Promise<string | undefined> {
    for (;;) {
      const found = cursor.seen.get(id)
      if (found !== undefined) {
        cursor.seen.delete(id)
        return found
      }
      const { events } = await this.#log.readKey(topic, key, {
        afterVersion: cursor.version,
        limit: pageEvents,
      })
      if (events.length === 0) return undefined
      cursor.version += events.length
      // Of what was passed by, the last two pages are remembered.
      for (const { event } of events) cursor.seen.set(event.id, textOf(event))
      for (const [oldest] of cursor.seen) {
        if (cursor.seen.size <= 2 * pageEvents) break
        cursor.seen.delete(oldest)
      }
    }
  }
}

function textOf({ type, data }: { readonly type: string; readonly data: unknown }): string {
  return `${type}\n${JSON.stringify(data)}`
}
