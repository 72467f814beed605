import { derivedId, type Event, MillraceError, newEvent } from '@millrace/event'
import type { Change, TransactionPart, SnapshotRow } from './change.ts'
import type { MappedEvent, Mapping } from './mapping.ts'

/** Most events that one change may become. */
const mostEvents = 100

/** Makes the events of one pipeline. Their ids derive from (pipeline, position, index): a repeat makes the same ones. */
export class ChangeEvents {
  readonly #pipeline: string
  readonly #source: string

  constructor(pipeline: string) {
    this.#pipeline = pipeline
    this.#source = `/millrace/cdc/${pipeline}`
  }

  /** @throws MillraceError `stream.mapping` */
  ofChange(mapping: Mapping, change: Change, part: TransactionPart): readonly Event[] {
    const { position, committedAt, context } = part
    const ofTransaction = context.correlationId ?? derivedId(this.#pipeline, position)
    const parts = [this.#pipeline, position, String(change.index)]
    return this.#made(mapping, `${position}/${change.index}`, () =>
      mapping.map(change, { position }).map((mapped, at) => {
        const id = derivedId(...parts, ...(at === 0 ? [] : [String(at)]))
        return this.#event(
          mapping,
          { correlationId: ofTransaction, time: committedAt, ...context, ...mapped },
          id,
        )
      }),
    )
  }

  /** @param now When the row was read, ISO 8601. @throws MillraceError `stream.mapping` */
  ofRow(mapping: Mapping, run: number, { key, row }: SnapshotRow, now: string): readonly Event[] {
    const { table } = mapping
    const parts = [this.#pipeline, 'snapshot', table, String(run)]
    const correlationId = derivedId(...parts)
    return this.#made(mapping, `snapshot ${run}, row ${key.join(', ')}`, () =>
      mapping.map({ kind: 'snapshot', table, row, key }).map((mapped, at) => {
        const id = derivedId(...parts, JSON.stringify(key), String(at))
        return this.#event(mapping, { correlationId, time: now, ...mapped }, id)
      }),
    )
  }

  #event(mapping: Mapping, draft: MappedEvent, id: string): Event {
    return newEvent(mapping.topic, { ...draft, id, source: this.#source })
  }

  #made(mapping: Mapping, place: string, make: () => readonly Event[]): readonly Event[] {
    try {
      const events = make()
      if (events.length > mostEvents) throw new TypeError(`One change became ${events.length} events`)
      return events
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new MillraceError(
        'stream.mapping',
        `Pipeline ${this.#pipeline} stopped before ${mapping.table} at ${place}: ${why}`,
        { cause, details: { pipeline: this.#pipeline, table: mapping.table, place } },
      )
    }
  }
}
