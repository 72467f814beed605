import type { Topic } from '@millrace/event'
import { type Cursors, formatPosition, parsePosition, type Position } from '@millrace/log'
import {
  type Correlated,
  type IndexBatch,
  indexBounds,
  type RequestFact,
  type StoryIndex,
} from '@millrace/processor'
import type { Redis } from 'ioredis'
import { readFailure, writeFailure } from './failure.ts'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

/** The scripts of the index; tests give others. */
export interface StoryScripts {
  readonly index: Script
  readonly requests: Script
}

const storyScripts: StoryScripts = {
  index: new Script('story-index.lua'),
  requests: new Script('story-requests.lua'),
}

/** The index of stories on Redis, all in one slot. The connection belongs to the caller. */
export class StoryIndexOnRedis implements StoryIndex {
  readonly #redis: Redis
  readonly #keys: Keys
  readonly #scripts: StoryScripts
  readonly #now: (() => number) | undefined

  constructor(redis: Redis, keys: Keys, now?: () => number, scripts = storyScripts) {
    this.#redis = redis
    this.#keys = keys
    this.#now = now
    this.#scripts = scripts
  }

  async cursors(topic: Topic): Promise<Cursors> {
    const names = Array.from({ length: topic.partitions }, (_, partition) => `${topic.name}/${partition}`)
    const ids = await this.#read(() => this.#redis.hmget(this.#keys.storyIndex.cursors, ...names))
    return new Map(ids.flatMap((id, partition) => (typeof id === 'string' ? [[partition, id]] : [])))
  }

  async note(topic: Topic, { partition, from, to, events }: IndexBatch): Promise<'noted' | 'moved'> {
    const { cursors, places, placesOld } = this.#keys.storyIndex
    const correlations = new Map<string, string[]>()
    const ids = new Map<string, string[]>()
    for (const { eventId, correlationId, position } of events) {
      const place = formatPosition(position)
      add(correlations, correlationId, place)
      add(ids, eventId, place)
    }
    const call = {
      of: `${topic.name}/${partition}`,
      from,
      to,
      ...this.#time(),
      window: indexBounds.windowMs,
      most: indexBounds.ids,
      mostPlaces: indexBounds.positions,
      correlations: [...correlations.values()],
      events: [...ids.values()],
    }
    return this.#write(async () => {
      const reply = await this.#scripts.index.run(
        this.#redis,
        [cursors, places, placesOld],
        [JSON.stringify(call)],
      )
      return reply as 'noted' | 'moved'
    })
  }

  async noteRequests(requests: readonly RequestFact[]): Promise<void> {
    if (requests.length === 0) return
    const { cursors, requests: present, requestsOld } = this.#keys.storyIndex
    const texts = new Map<string, string>()
    for (const { correlationId, ...request } of requests) {
      const before = texts.get(correlationId)
      const text = JSON.stringify(request)
      texts.set(correlationId, before === undefined ? text : `${before}\n${text}`)
    }
    const call = {
      ...this.#time(),
      window: indexBounds.windowMs,
      most: indexBounds.requests,
      bytes: indexBounds.requestBytes,
      requests: [...texts],
    }
    await this.#write(() =>
      this.#scripts.requests.run(this.#redis, [cursors, present, requestsOld], [JSON.stringify(call)]),
    )
  }

  async correlated(correlationId: string): Promise<Correlated> {
    const { places, placesOld, requests, requestsOld } = this.#keys.storyIndex
    const field = `c${correlationId}`
    const [old, present, ...asked] = await this.#read(() =>
      Promise.all([
        this.#redis.hget(placesOld, field),
        this.#redis.hget(places, field),
        this.#redis.hget(requestsOld, correlationId),
        this.#redis.hget(requests, correlationId),
      ]),
    )
    const found = [old, present].flatMap((text) => (typeof text === 'string' ? [text.split(' ')] : []))
    const positions = found.flatMap(([, ...all]) => all.map(parsePosition))
    const count = found.reduce((sum, [number]) => sum + Number(number), 0)
    return {
      positions,
      beyond: count - positions.length,
      requests: asked.flatMap((text) => (typeof text === 'string' ? text.split('\n').map(requestOf) : [])),
    }
  }

  async placesOf(eventId: string): Promise<readonly Position[]> {
    const { places, placesOld } = this.#keys.storyIndex
    const texts = await this.#read(() =>
      Promise.all([placesOld, places].map((name) => this.#redis.hget(name, `e${eventId}`))),
    )
    return texts.flatMap((text) => (typeof text === 'string' ? text.split(' ').map(parsePosition) : []))
  }

  #time(): { readonly now?: number } {
    return this.#now ? { now: this.#now() } : {}
  }

  async #write<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw writeFailure(error)
    }
  }

  async #read<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw readFailure(error)
    }
  }
}

function requestOf(text: string): Omit<RequestFact, 'correlationId'> {
  return JSON.parse(text) as Omit<RequestFact, 'correlationId'>
}

/** A list by name that begins with the name itself. */
function add(lists: Map<string, string[]>, name: string, place: string): void {
  const list = lists.get(name)
  if (list) list.push(place)
  else lists.set(name, [name, place])
}
