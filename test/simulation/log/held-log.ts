import type { Event, Topic } from '@millrace/event'
import { compareIds, type EventLog, identity, type Position } from '@millrace/log'
import { demand } from '../story.ts'

const order = 'guarantee 4, order per key'
const kept = 'guarantee 8, nothing disappears'

/** An event that was appended, as its appender was told. */
export interface HeldEvent {
  readonly event: Event
  readonly seq: number
  /** Stream id; undefined for the events of a channel, of which nobody is told. */
  readonly id: string | undefined
  readonly fingerprint: string | undefined
  /** With claims it is known for ever. */
  readonly claims: boolean
  /** By the latest clock that its partition was written by. */
  readonly atMs: number
}

/** What all logs have to hold, by what appends have come to. */
export class HeldLog {
  readonly #partitions = new Map<string, HeldEvent[]>()
  readonly #keys = new Map<string, HeldEvent[]>()
  readonly #known = new Map<string, HeldEvent>()
  readonly #clocks = new Map<string, number>()

  partition({ name }: Topic, partition: number): readonly HeldEvent[] {
    return this.#partitions.get(`${name}/${partition}`) ?? []
  }

  ofKey({ name }: Topic, key: string): readonly HeldEvent[] {
    return this.#keys.get(`${name}/${key}`) ?? []
  }

  /** The latest of an identity: forgotten ones may come again. */
  known({ name }: Topic, event: Event): HeldEvent | undefined {
    return this.#known.get(`${name}/${identity(event)}`)
  }

  /** A unit was written at such a time. Answers the latest such time of its partition. */
  clock({ name }: Topic, partition: number, nowMs: number): number {
    const latest = Math.max(nowMs, this.latestMs(name, partition))
    this.#clocks.set(`${name}/${partition}`, latest)
    return latest
  }

  latestMs(topic: string, partition: number): number {
    return this.#clocks.get(`${topic}/${partition}`) ?? 0
  }

  /** @param position Undefined where nobody is told. */
  add(
    topic: Topic,
    partition: number,
    event: Event,
    position: Position | undefined,
    more: Pick<HeldEvent, 'fingerprint' | 'claims' | 'atMs'>,
  ): void {
    const events = this.partition(topic, partition)
    const seq = events.length + 1
    const before = events.findLast(({ id }) => id !== undefined)?.id
    if (position)
      demand(
        position.seq === seq &&
          position.id.endsWith(`-${seq}`) &&
          (before === undefined || compareIds(before, position.id) < 0),
        order,
        () => `behind ${events.length} events, the last at ${before}, one was appended at ${position.id}`,
      )
    const held = { event, seq, id: position?.id, ...more }
    this.#partitions.set(`${topic.name}/${partition}`, [...events, held])
    this.#keys.set(`${topic.name}/${event.subject}`, [...this.ofKey(topic, event.subject), held])
    if (position) this.#known.set(`${topic.name}/${identity(event)}`, held)
  }

  /** What a log says that it holds is what it has been told to hold. @throws Violation */
  async read(log: EventLog, topic: Topic, keys: readonly string[]): Promise<void> {
    for (let partition = 0; partition < topic.partitions; partition++) {
      const said: string[] = []
      for (let cursor = '0-0'; ;) {
        const read = await log.read(topic, new Map([[partition, cursor]]), { limit: 20 })
        const page = read.get(partition) ?? []
        for (const { event, position } of page) {
          demand(
            compareIds(cursor, position.id) < 0 && position.seq === said.length + 1,
            order,
            () => `${position.id} of seq ${position.seq} follows ${cursor}, the ${said.length}th event`,
          )
          cursor = position.id
          said.push(event.id)
        }
        if (page.length === 0) break
      }
      const expected = this.partition(topic, partition).map(({ event }) => event.id)
      demand(
        said.join() === expected.join(),
        kept,
        () => `${topic.name}/${partition} holds ${said.join()}, appended were ${expected.join()}`,
      )
    }
    for (const key of keys) {
      const { events, version } = await log.readKey(topic, key)
      const said = events.map(({ event }) => event.id).join()
      const expected = this.ofKey(topic, key)
        .map(({ event }) => event.id)
        .join()
      demand(
        said === expected && version === events.length,
        kept,
        () => `key ${key} has ${said} and version ${version}, appended were ${expected}`,
      )
    }
  }
}
