import { type Event, limits, MillraceError, oversizeEvent, storedEvent } from '@millrace/event'
import { type Position, type Recorded, seqOf } from '@millrace/log'

/** A stream entry as the log holds it: a batch of events whose id is that of the last. */
export interface Entry {
  readonly topic: string
  readonly partition: number
  readonly id: string
  readonly body: string
}

// Classes, no literals: V8 puts what a literal makes into the old generation once much of it has lived on, and all that
// such things name then stays until the whole heap is collected.
class EntryPosition implements Position {
  readonly topic: string
  readonly partition: number
  readonly id: string
  readonly seq: number

  constructor({ topic, partition }: Entry, id: string, seq: number) {
    this.topic = topic
    this.partition = partition
    this.id = id
    this.seq = seq
  }
}

class EntryEvent implements Recorded {
  readonly event: Event
  readonly position: Position

  constructor(event: Event, position: Position) {
    this.event = event
    this.position = position
  }
}

/** The events of an entry with their positions. */
export function eventsOf(entry: Entry): readonly Recorded[] {
  let batch: unknown
  try {
    batch = JSON.parse(entry.body)
  } catch (cause) {
    throw foreign(entry, cause)
  }
  if (!Array.isArray(batch) || batch.length === 0) throw foreign(entry)
  const dash = entry.id.indexOf('-')
  const ms = entry.id.slice(0, dash)
  const first = seqOf(entry.id) - batch.length + 1
  if (first < 1) throw foreign(entry)
  // No append of ours makes such an entry.
  const foreignSize = entry.body.length > limits.appendBytes
  return batch.map((value, index) => {
    const seq = first + index
    const event = storedEvent(value, `${ms}-${seq}`)
    if (foreignSize) refuseOversize(event)
    return new EntryEvent(event, new EntryPosition(entry, `${ms}-${seq}`, seq))
  })
}

function refuseOversize(event: Event): void {
  const bytes = Buffer.byteLength(JSON.stringify(event))
  if (bytes > limits.eventBytes) oversizeEvent(event, bytes)
}

function foreign(entry: Entry, cause?: unknown): MillraceError {
  return new MillraceError(
    'log.corrupt',
    `Entry ${entry.id} of ${entry.topic}/${entry.partition} is none of Millrace's`,
    { cause },
  )
}
