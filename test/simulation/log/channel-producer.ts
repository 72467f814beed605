import { MillraceError } from '@millrace/event'
import type { ChannelBatch, Fence } from '@millrace/log'
import { partitionOfKey } from '@millrace/event'
import type { Process } from '../port/network.ts'
import { channels, keys, type LogWorld } from './log-world.ts'

/** A producer that counts its events, with several batches on their way; it takes channels over from others. */
export class ChannelProducer {
  readonly #process: Process
  readonly #world: LogWorld

  constructor(process: Process, world: LogWorld) {
    this.#process = process
    this.#world = world
  }

  /** Works until nothing goes wrong any more. */
  async live(): Promise<void> {
    const { random } = this.#world
    while (!this.#world.calm) {
      await this.#process.sleep(random.between(1, 10))
      try {
        await this.#takeOver()
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
      }
    }
  }

  async #takeOver(): Promise<void> {
    const { random, log, plain } = this.#world
    const partition = random.between(0, plain.partitions - 1)
    const channel = random.pick(channels) ?? 'feed'
    const fence = random.chance(0.5) ? await this.#fence(partition, channel) : undefined
    const read = () => log.channel(plain, partition, channel)
    const state = await this.#process.call('channel', read, 'log.unavailable')
    const incarnation = state.incarnation + (random.chance(0.7) ? 1 : 0)
    let last = incarnation > state.incarnation ? 0 : state.last
    for (let rounds = random.between(1, 6); rounds > 0 && !this.#world.calm; rounds--)
      last = await this.#send({ partition, channel, incarnation: Math.max(1, incarnation), ...fence }, last)
  }

  async #fence(partition: number, name: string): Promise<{ readonly fence: Fence }> {
    const { log, plain, random } = this.#world
    const fence = { name, token: this.#world.nextToken(this.#process) }
    if (random.chance(0.9)) {
      const set = () => log.fence(plain, partition, fence)
      await this.#process.call('fence', set, 'append.unknown', fence)
    }
    return { fence }
  }

  /** Sends a few batches at once, and what was not taken again. Answers the last number that was. */
  async #send(of: Omit<ChannelBatch, 'first' | 'events'>, last: number): Promise<number> {
    const { random, log, plain } = this.#world
    let first = last + 1
    const batches = Array.from({ length: random.between(1, 3) }, (): ChannelBatch => {
      const events = this.#events(of.partition, random.between(0, 3))
      const mark = events.length === 0 || random.chance(0.5) ? { mark: `${this.#process.name}-${first}` } : {}
      const batch = { ...of, first, events, ...mark }
      first += events.length
      return batch
    })
    let taken = last
    const again = batches.slice(0, random.chance(0.3) ? 1 : 0)
    const answers = await Promise.allSettled(
      [...batches, ...again].map((batch) => {
        const append = () => log.appendChannel(plain, batch)
        return this.#process.call('appendChannel', append, 'append.unknown', batch)
      }),
    )
    for (const answer of answers) {
      if (answer.status === 'rejected') {
        const reason: unknown = answer.reason
        if (!(reason instanceof MillraceError)) throw new TypeError('Not an answer', { cause: reason })
        continue
      }
      if (answer.value.status === 'refused' && answer.value.error.code !== 'append.channel-gap')
        throw answer.value.error
      taken = Math.max(taken, answer.value.last)
    }
    return taken
  }

  #events(partition: number, count: number): ChannelBatch['events'] {
    const { random, plain } = this.#world
    const own = keys.filter((key) => partitionOfKey(plain, key) === partition)
    return Array.from({ length: count }, () => this.#world.newEvent(plain, random.pick(own) ?? 'a'))
  }
}
