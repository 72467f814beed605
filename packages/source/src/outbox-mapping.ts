import type { Topic } from '@millrace/event'
import type { Row } from './change.ts'
import type { MappedEvent, Mapping } from './mapping.ts'

/** Columns of an outbox table: a row is an event. */
export interface OutboxColumns {
  /** Default `type`. */
  readonly type?: string
  /** Default `key`. */
  readonly key?: string
  /** JSON. Default `data`. */
  readonly data?: string
  /** May be absent or null. Default `correlation_id`. */
  readonly correlationId?: string
  /** May be absent or null. Default `causation_id`. */
  readonly causationId?: string
}

/**
 * An outbox table as one more mapping: whoever writes a row of it in his transaction has published the event with the commit.
 * Only insertions are told; rows may be deleted at any time, at once even, for the database's log has them.
 */
export function outboxMapping(options: {
  readonly table: string
  readonly topic: Topic
  readonly columns?: OutboxColumns
}): Mapping {
  const { type, key, data, correlationId, causationId } = {
    type: 'type',
    key: 'key',
    data: 'data',
    correlationId: 'correlation_id',
    causationId: 'causation_id',
    ...options.columns,
  }
  return {
    table: options.table,
    topic: options.topic,
    snapshot: false,
    map: (change): readonly MappedEvent[] => {
      if (change.kind !== 'insert') return []
      const row = change.row ?? {}
      const [correlation, causation] = [row[correlationId], row[causationId]]
      return [
        {
          type: textIn(row, type),
          key: textIn(row, key),
          data: row[data],
          ...(typeof correlation === 'string' ? { correlationId: correlation } : {}),
          ...(typeof causation === 'string' ? { causationId: causation } : {}),
        },
      ]
    },
  }
}

function textIn(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw new TypeError(`Column ${column} of the outbox is no text`)
}
