import type { ChannelBatch, ChannelResult } from '@millrace/log'
import type { OutboxDraft } from '@millrace/processor'
import { demand } from './story.ts'

const once = 'guarantee 5, exactly once'

/** What was emitted, and what of it has arrived: the same events, each once, in the same order. */
export class ChannelJudge {
  /** What each target partition has to hold in the end, in order. */
  readonly #emitted = new Map<number, string[]>()
  readonly #arrived = new Map<number, number>()

  emitted({ partition, events }: OutboxDraft): void {
    const before = this.#emitted.get(partition) ?? []
    this.#emitted.set(partition, [...before, ...events.map(({ id }) => id)])
  }

  appended({ partition, first, events }: ChannelBatch, result: ChannelResult): void {
    demand(result.status === 'appended', once, () => `the channel refused ${first}`)
    const emitted = this.#emitted.get(partition) ?? []
    const expected = emitted.slice(first - 1, first - 1 + events.length)
    const ids = events.map(({ id }) => id)
    demand(
      ids.join() === expected.join(),
      once,
      () => `forwarded were ${ids.join()} as ${first}, emitted ${expected.join()}`,
    )
    const arrived = this.#arrived.get(partition) ?? 0
    const after = Math.max(arrived, first + events.length - 1)
    demand(
      result.last === after && result.taken === after - arrived,
      once,
      () => `the channel took ${result.taken} and is at ${result.last}`,
    )
    this.#arrived.set(partition, after)
  }

  /** Everything that was emitted is on the target: asked when the story is over. */
  get allArrived(): boolean {
    return [...this.#emitted].every(([partition, ids]) => this.#arrived.get(partition) === ids.length)
  }
}
