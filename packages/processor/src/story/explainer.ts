import { type Clock, MillraceError, systemClock, type Topic } from '@millrace/event'
import { compareIds, type EventLog, formatPosition, type Position, type Recorded, seqOf } from '@millrace/log'
import { sleep } from '../engine/sleep.ts'
import { systemTimers, type Timers } from '../lane/timers.ts'
import { mostStoryEvents, type Story, type StoryAsked, type StoryEntry } from './story.ts'
import type { StoryIndex } from './story-index.ts'
import {
  eventEntry,
  type GroupPart,
  partOfGroup,
  type StoryGroup,
  type StorySources,
} from './story-of-events.ts'

/** What an {@link Explainer} works with. */
export interface ExplainerOptions extends StorySources {
  readonly log: Pick<EventLog, 'readAt' | 'readKey' | 'tips'>
  readonly index: StoryIndex
  readonly groups: readonly StoryGroup[]
  readonly clock?: Clock
  readonly timers?: Timers
}

/** How long an answer waits for the index to have what is on the log already, in ms. */
const patienceMs = 1_000
const lookMs = 20
/** Causes outside of the story that are looked up, and correlation ids of a key whose requests are told. */
const mostLookups = 20

/** Tells what became of a request, an event or a key. Everything is found by an index; nothing is looked through. */
export class Explainer {
  readonly #options: ExplainerOptions
  readonly #topics: ReadonlyMap<string, Topic>

  constructor(options: ExplainerOptions) {
    this.#options = options
    this.#topics = new Map(options.groups.map(({ topic }) => [topic.name, topic]))
  }

  /** Everything that one request from outside led to. @throws MillraceError `story.unknown` */
  async correlation(correlationId: string): Promise<Story> {
    const behind = await this.#caughtUp()
    const { positions, beyond, requests } = await this.#options.index.correlated(correlationId)
    const shown = positions.slice(0, mostStoryEvents)
    const events = await this.#eventsAt(shown)
    if (events.length === 0 && requests.length === 0)
      throw unknown(`There is no event and no request of correlation id ${correlationId}`, behind)
    const told = requests.map((request): StoryEntry => ({ kind: 'request', ...request }))
    return this.#story({ correlationId }, await this.#withCauses(events), told, {
      beyond: beyond + positions.length - shown.length,
      behind,
    })
  }

  /** The story that an event is part of. @throws MillraceError `story.unknown` */
  async event(eventId: string): Promise<Story> {
    const behind = await this.#caughtUp()
    const events = await this.#eventsAt(await this.#options.index.placesOf(eventId))
    const [first] = events
    if (first === undefined) throw unknown(`There is no event ${eventId}`, behind)
    const { correlationid } = first.event
    const story = await this.correlation(correlationid).catch((error: unknown) => {
      if (error instanceof MillraceError && error.code === 'story.unknown') return undefined
      throw error
    })
    const has = story?.entries.some((entry) => entry.kind === 'event' && entry.eventId === eventId)
    if (story && has) return { ...story, asked: { eventId } }
    return this.#story({ eventId }, await this.#withCauses(events), [], { beyond: 0, behind })
  }

  /** What became of the latest events of a key. @throws MillraceError `topic.unknown`, `story.unknown` */
  async key(topicName: string, key: string): Promise<Story> {
    const { log, index } = this.#options
    const topic = this.#topics.get(topicName)
    if (!topic) throw new MillraceError('topic.unknown', `There is no topic "${topicName}" here`)
    const { version } = await log.readKey(topic, key, { limit: 1 })
    if (version === 0) throw unknown(`${topicName} has no events of this key`, 0)
    const afterVersion = Math.max(0, version - mostStoryEvents)
    const { events } = await log.readKey(topic, key, { afterVersion, limit: mostStoryEvents })
    const ids = [...new Set(events.map(({ event }) => event.correlationid))].slice(-mostLookups)
    const correlated = await Promise.all(ids.map((id) => index.correlated(id)))
    const requests = correlated.flatMap((one) =>
      one.requests.map((request): StoryEntry => ({ kind: 'request', ...request })),
    )
    const behind = await this.#behind()
    return this.#story({ topic: topicName, key }, events, requests, { beyond: afterVersion, behind })
  }

  async #story(
    asked: StoryAsked,
    events: readonly Recorded[],
    requests: readonly StoryEntry[],
    counts: Pick<Story, 'beyond' | 'behind'>,
  ): Promise<Story> {
    const parts = await Promise.all(this.#parts(events))
    const entries = [...requests, ...events.map(eventEntry), ...parts.flatMap((part) => part.entries)]
    return {
      asked,
      // Of what is of one moment, requests come first and events before what was made of them.
      entries: entries.toSorted((a, b) => a.atMs - b.atMs),
      open: parts.flatMap(({ open }) => open),
      ...counts,
    }
  }

  /** What each group makes of the events of each partition. */
  #parts(events: readonly Recorded[]): Promise<GroupPart>[] {
    const places = new Map<string, Recorded[]>()
    for (const recorded of events) {
      const place = `${recorded.position.topic}/${recorded.position.partition}`
      places.set(place, [...(places.get(place) ?? []), recorded])
    }
    return this.#options.groups.flatMap(({ topic, group, types }) =>
      Array.from({ length: topic.partitions }, (_, partition) => {
        const there = places.get(`${topic.name}/${partition}`) ?? []
        const own = there.filter(({ event }) => types?.has(event.type) ?? true)
        return own.length === 0 ? [] : [partOfGroup(this.#options, { topic, partition, group }, own)]
      }).flat(),
    )
  }

  async #eventsAt(positions: readonly Position[]): Promise<readonly Recorded[]> {
    const { log } = this.#options
    const found = await Promise.all(
      positions.flatMap((position) => {
        const topic = this.#topics.get(position.topic)
        return topic === undefined ? [] : [log.readAt(topic, position)]
      }),
    )
    return found
      .filter((recorded) => recorded !== undefined)
      .toSorted((a, b) => compareIds(a.position.id, b.position.id))
  }

  /** Adds the events that led to these, where they are of another story. */
  async #withCauses(events: readonly Recorded[]): Promise<readonly Recorded[]> {
    const known = new Set(events.map(({ event }) => event.id))
    const all = [...events]
    let latest = events
    while (latest.length > 0 && all.length < mostStoryEvents) {
      const ids = new Set(latest.flatMap(({ event }) => event.causationid ?? []))
      const asked = [...ids].filter((id) => !known.has(id)).slice(0, mostLookups)
      for (const id of asked) known.add(id)
      const places = await Promise.all(asked.map((id) => this.#options.index.placesOf(id)))
      latest = await this.#eventsAt(places.flat())
      all.unshift(...latest)
    }
    const byPlace = new Map(all.map((one) => [formatPosition(one.position), one]))
    return [...byPlace.values()].slice(-mostStoryEvents)
  }

  /** Waits a moment for the index to have what is on the log; answers how far behind it is then. */
  async #caughtUp(): Promise<number> {
    const { clock = systemClock, timers = systemTimers } = this.#options
    const deadline = clock.now() + patienceMs
    for (;;) {
      const behind = await this.#behind()
      if (behind === 0 || clock.now() >= deadline) return behind
      await sleep(timers, lookMs, new AbortController().signal)
    }
  }

  async #behind(): Promise<number> {
    const { log, index } = this.#options
    const topics = await Promise.all(
      [...this.#topics.values()].map(async (topic) => {
        const [tips, cursors] = await Promise.all([log.tips(topic), index.cursors(topic)])
        return tips.map(({ partition, seq }) => Math.max(0, seq - seqOf(cursors.get(partition) ?? '0-0')))
      }),
    )
    return topics.flat().reduce((sum, one) => sum + one, 0)
  }
}

function unknown(what: string, behind: number): MillraceError {
  const late = behind > 0 ? `; the index is ${behind} events behind` : ''
  return new MillraceError('story.unknown', `${what}${late}`, { details: { behind } })
}
