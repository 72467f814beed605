import { MillraceError, type Topic } from '@millrace/event'
import { beginning, type Position } from '@millrace/log'

/**
 * Where a reader of a whole topic stands: for each partition the stream id of the last event it has. As text,
 * which is opaque to the reader: `3-loyw3v28-16.7-…`, partition, milliseconds and sequence in base 36.
 */
export class FeedCursor {
  readonly #ids: Map<number, string>

  private constructor(ids: Map<number, string>) {
    this.#ids = ids
  }

  /** Before the first event of every partition. */
  static start(topic: Topic): FeedCursor {
    return new FeedCursor(new Map(Array.from({ length: topic.partitions }, (_unused, at) => [at, beginning])))
  }

  /** After these, one for each partition that has events. */
  static at(topic: Topic, tips: readonly { readonly partition: number; readonly id: string }[]): FeedCursor {
    const cursor = FeedCursor.start(topic)
    for (const { partition, id } of tips) cursor.#ids.set(partition, id)
    return cursor
  }

  /** Reads what {@link toString} wrote. @throws MillraceError `position.invalid` */
  static parse(topic: Topic, text: string): FeedCursor {
    const cursor = FeedCursor.start(topic)
    if (text === startText) return cursor
    for (const part of text.split('.')) {
      const [, partition = '', ms = '', seq = ''] =
        /^(\d{1,4})-([0-9a-z]{1,9})-([0-9a-z]{1,9})$/.exec(part) ?? []
      if (partition === '' || cursor.#ids.get(Number(partition)) !== beginning)
        throw new MillraceError(
          'position.invalid',
          'The cursor is not one that this topic gave; leave it out to start at the beginning',
        )
      cursor.#ids.set(Number(partition), `${parseInt(ms, 36)}-${parseInt(seq, 36)}`)
    }
    return cursor
  }

  /** Cursors by partition, as the log takes them. */
  get byPartition(): ReadonlyMap<number, string> {
    return this.#ids
  }

  /** Goes past an event. */
  pass(position: Position): void {
    this.#ids.set(position.partition, position.id)
  }

  toString(): string {
    const parts: string[] = []
    for (const [partition, id] of this.#ids) {
      if (id === beginning) continue
      const [ms, seq] = id.split('-').map((part) => Number(part).toString(36))
      parts.push(`${partition}-${ms}-${seq}`)
    }
    return parts.length === 0 ? startText : parts.join('.')
  }
}

const startText = 'start'
