import type { EffectBreaker, EffectBreakerHealth } from './effect-breaker.ts'
import type { EffectBreakers } from './effect-breakers.ts'
import { EffectLine, type InLine } from './effect-line.ts'

/** Most of the first in line that take turns at probing: one of them may be what the other end chokes on. */
const mostProbers = 8

interface EffectQueue {
  readonly breaker: EffectBreaker
  readonly line: EffectLine
  readonly forget: () => void
  /** Effects of this name that are not confirmed. */
  waiting: number
}

/** The effects of a partition that wait, by name: where one of them is away, the others go on. */
export class EffectQueues {
  readonly #breakers: EffectBreakers
  readonly #room: () => void
  readonly #queues = new Map<string, EffectQueue>()
  #waiting = 0

  /** @param room Called when more may be begun than before. */
  constructor(breakers: EffectBreakers, room: () => void) {
    this.#breakers = breakers
    this.#room = room
  }

  /** Effects that are not confirmed. */
  get waiting(): number {
    return this.#waiting
  }

  /** Breakers that are not closed and have something waiting behind them. */
  get away(): readonly EffectBreakerHealth[] {
    return [...this.#queues.values()]
      .filter(({ breaker, waiting }) => waiting > 0 && breaker.state !== 'closed')
      .map(({ breaker }) => breaker.health())
  }

  count(name: string, more: number): void {
    const queue = this.#of(name)
    queue.waiting += more
    queue.breaker.waiting += more
    this.#waiting += more
  }

  /** A key waits with an effect of that name. */
  add({ name, key, place }: InLine & { readonly name: string }): void {
    this.#of(name).line.add({ key, place })
  }

  /** A key waits with another effect than that one. */
  withdraw({ name, key }: { readonly name: string; readonly key: string }): void {
    this.#of(name).line.remove(key)
  }

  /** The next key that its breaker lets through; the names take turns. */
  next(): { readonly key: string; readonly breaker: EffectBreaker } | undefined {
    for (const [name, queue] of this.#queues) {
      const { line, breaker } = queue
      const probing = breaker.state === 'open'
      if (line.length === 0 || !breaker.enter()) continue
      this.#queues.delete(name)
      this.#queues.set(name, queue)
      const { key } = line.take(probing ? breaker.probesInVain % Math.min(line.length, mostProbers) : 0)
      return { key, breaker }
    }
    return undefined
  }

  end(): void {
    for (const { breaker, waiting, forget } of this.#queues.values()) {
      breaker.waiting -= waiting
      forget()
    }
    this.#queues.clear()
  }

  #of(name: string): EffectQueue {
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      const breaker = this.#breakers.of(name)
      queue = { breaker, line: new EffectLine(), forget: breaker.onRoom(this.#room), waiting: 0 }
      this.#queues.set(name, queue)
    }
    return queue
  }
}
