import { MillraceError, type Topic } from '@millrace/event'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'

/** A topic may be made at any time, by another process and in another form; in ms. */
const askAgainMs = 10_000

/**
 * Knows in what form topics were made. The number of partitions and the placement decide where a key lies: with others
 * its history would be lost from sight, and a unique value could be taken a second time.
 */
export class TopicForms {
  readonly #redis: Redis
  readonly #keys: Keys
  readonly #fit = new WeakSet<Topic>()
  /** When a reader may ask again for a topic that nobody has written to, in ms of elapsed time. */
  readonly #absentUntilMs = new WeakMap<Topic, number>()

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis
    this.#keys = keys
  }

  /** Whether this was asked before, and answered well. */
  fits(topic: Topic, as: 'reader' | 'writer'): boolean {
    if (this.#fit.has(topic)) return true
    return as === 'reader' && performance.now() < (this.#absentUntilMs.get(topic) ?? 0)
  }

  /**
   * Compares the form of a topic with that which it was made in; whoever writes to a new one first records it.
   *
   * @throws MillraceError `topic.mismatch`
   */
  async check(topic: Topic, as: 'reader' | 'writer'): Promise<void> {
    const form = `${topic.partitions} ${topic.placement}`
    const made = await this.#madeIn(topic, form, as)
    if (made === null) {
      this.#absentUntilMs.set(topic, performance.now() + askAgainMs)
      return
    }
    if (made !== form)
      throw new MillraceError(
        'topic.mismatch',
        `Topic ${topic.name} was made with ${inWords(made)} and is declared with ${inWords(form)}`,
      )
    this.#fit.add(topic)
  }

  async #madeIn(topic: Topic, form: string, as: 'reader' | 'writer'): Promise<string | null> {
    const made = await this.#redis.hget(this.#keys.topics, topic.name)
    if (made !== null || as === 'reader') return made
    await this.#redis.hsetnx(this.#keys.topics, topic.name, form)
    return this.#redis.hget(this.#keys.topics, topic.name)
  }
}

function inWords(form: string): string {
  const [partitions, placement] = form.split(' ')
  return `${partitions} partitions, ${placement}`
}
