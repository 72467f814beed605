import { type Clock, systemClock, type Topic } from '@millrace/event'
import { beginning, type Cursors, type Position } from '@millrace/log'
import {
  type Correlated,
  type IndexBatch,
  indexBounds,
  type RequestFact,
  type StoryIndex,
} from './story-index.ts'

/** Two generations of a map: the one before is forgotten when the present one is full, or old. */
class Generations<V> {
  readonly #most: number
  #present = new Map<string, V>()
  #old = new Map<string, V>()
  #sinceMs: number | undefined

  constructor(most: number) {
    this.#most = most
  }

  /** Before anything is written. */
  turn(nowMs: number): void {
    this.#sinceMs ??= nowMs
    if (nowMs - this.#sinceMs < indexBounds.windowMs && this.#present.size < this.#most) return
    this.#old = this.#present
    this.#present = new Map()
    this.#sinceMs = nowMs
  }

  get(name: string): V | undefined {
    return this.#present.get(name)
  }

  set(name: string, value: V): void {
    this.#present.set(name, value)
  }

  /** What both have, the older one first. */
  all(name: string): readonly V[] {
    const found = [this.#old.get(name), this.#present.get(name)]
    return found.filter((value) => value !== undefined)
  }
}

interface Places {
  readonly count: number
  readonly positions: readonly Position[]
}

/** Makes an empty index in memory, with the same promises as the one on Redis but durability. */
export function createMemoryStoryIndex(clock: Clock = systemClock): StoryIndex {
  const reached = new Map<string, string>()
  const correlations = new Generations<Places>(indexBounds.ids)
  const events = new Generations<readonly Position[]>(indexBounds.ids)
  const requested = new Generations<string>(indexBounds.requests)
  const nameOf = (topic: Topic, partition: number) => `${topic.name}/${partition}`
  return {
    cursors: async (topic): Promise<Cursors> => {
      const found = new Map<number, string>()
      for (let partition = 0; partition < topic.partitions; partition++) {
        const id = reached.get(nameOf(topic, partition))
        if (id !== undefined) found.set(partition, id)
      }
      return found
    },
    note: async (topic: Topic, batch: IndexBatch) => {
      const name = nameOf(topic, batch.partition)
      if ((reached.get(name) ?? beginning) !== batch.from && reached.has(name)) return 'moved'
      const nowMs = clock.now()
      correlations.turn(nowMs)
      events.turn(nowMs)
      for (const { eventId, correlationId, position } of batch.events) {
        const { count, positions } = correlations.get(correlationId) ?? { count: 0, positions: [] }
        const more = positions.length < indexBounds.positions ? [...positions, position] : positions
        correlations.set(correlationId, { count: count + 1, positions: more })
        events.set(eventId, [...(events.get(eventId) ?? []), position])
      }
      reached.set(name, batch.to)
      return 'noted'
    },
    noteRequests: async (requests: readonly RequestFact[]) => {
      requested.turn(clock.now())
      for (const { correlationId, ...request } of requests) {
        const before = requested.get(correlationId)
        const text = JSON.stringify(request)
        requested.set(correlationId, latest(before === undefined ? text : `${before}\n${text}`))
      }
    },
    correlated: async (correlationId): Promise<Correlated> => {
      const places = correlations.all(correlationId)
      const positions = places.flatMap((one) => one.positions)
      return {
        positions,
        beyond: places.reduce((sum, { count }) => sum + count, 0) - positions.length,
        requests: requested.all(correlationId).flatMap((text) => text.split('\n').map(requestOf)),
      }
    },
    placesOf: async (eventId) => events.all(eventId).flat(),
  }
}

function requestOf(text: string): Omit<RequestFact, 'correlationId'> {
  return JSON.parse(text) as Omit<RequestFact, 'correlationId'>
}

/** The latest requests that fit. */
function latest(text: string): string {
  const bytes = Buffer.from(text)
  const beyond = bytes.length - indexBounds.requestBytes
  return beyond <= 0 ? text : bytes.subarray(bytes.indexOf('\n', beyond - 1) + 1).toString()
}
