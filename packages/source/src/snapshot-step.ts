import { type Event, limits } from '@millrace/event'
import type { PrimaryKey } from './change.ts'
import type { ChannelLine } from './channel-line.ts'

/** As many rows as each line can append at once: what a step appends and its mark come true together. */
export interface SnapshotStep {
  readonly byLine: ReadonlyMap<ChannelLine, readonly Event[]>
  readonly rows: number
  /** Key of the last row; empty when there was none. */
  readonly to: PrimaryKey
  readonly isLast: boolean
}

/** What a row becomes on the lines that want it. */
export interface LinedRow {
  readonly key: PrimaryKey
  readonly events: readonly (readonly [ChannelLine, Event])[]
}

/** Most of one step for one line, unless one row is more. */
const most = { events: limits.appendEvents, bytes: 1024 * 1024 } as const

/** Puts rows together to steps, in their order; where there are none it is one step without any. */
export function* stepsOf(rows: Iterable<LinedRow>): Generator<SnapshotStep> {
  let filling = new Filling()
  for (const { key, events } of rows) {
    const load = loadOf(events)
    if (!filling.hasRoom(load)) {
      yield filling.step(false)
      filling = new Filling()
    }
    filling.add(key, load)
  }
  yield filling.step(true)
}

/** Events of one line with their bytes as JSON, roughly. */
interface Load {
  readonly events: Event[]
  bytes: number
}

function loadOf(lined: LinedRow['events']): ReadonlyMap<ChannelLine, Load> {
  const loads = new Map<ChannelLine, Load>()
  for (const [line, event] of lined) {
    const load = loads.get(line) ?? { events: [], bytes: 0 }
    load.events.push(event)
    load.bytes += JSON.stringify(event.data).length
    loads.set(line, load)
  }
  return loads
}

class Filling {
  readonly #loads = new Map<ChannelLine, Load>()
  #rows = 0
  #to: PrimaryKey = []

  hasRoom(more: ReadonlyMap<ChannelLine, Load>): boolean {
    if (this.#rows === 0) return true
    return [...more].every(([line, { events, bytes }]) => {
      const load = this.#loads.get(line)
      return (
        load === undefined ||
        (load.events.length + events.length <= most.events && load.bytes + bytes <= most.bytes)
      )
    })
  }

  add(key: PrimaryKey, more: ReadonlyMap<ChannelLine, Load>): void {
    this.#rows += 1
    this.#to = key
    for (const [line, { events, bytes }] of more) {
      const load = this.#loads.get(line) ?? { events: [], bytes: 0 }
      load.events.push(...events)
      load.bytes += bytes
      this.#loads.set(line, load)
    }
  }

  step(isLast: boolean): SnapshotStep {
    const byLine = new Map([...this.#loads].map(([line, { events }]) => [line, events]))
    return { byLine, rows: this.#rows, to: this.#to, isLast }
  }
}
