import type { ChannelBatch, ChannelResult } from '@millrace/log'
import type { OutboxDraft } from '@millrace/processor'
import { demand } from './story.ts'

const once = 'guarantee 5, exactly once'

/** What was emitted, and what of it has arrived: the same events, each once, in the same order. */
export class ChannelJudge {
  /** What each target partition has to hold in the end, in order. */
  readonly #emitted = new Map<number, string[]>()
  readonly #arrived = new Map<number, number>()

  /** @param number Of its first event, as the commit has answered; 0: it is on its target already. */
  emitted({ partition, events }: OutboxDraft, number: number | undefined): void {
    const before = this.#emitted.get(partition) ?? []
    const arrived = this.#arrived.get(partition) ?? 0
    demand(
      number === 0 || number === before.length + 1,
      once,
      () => `what is emitted as ${before.length + 1} got the number ${number}`,
    )
    demand(
      number !== 0 || arrived === before.length,
      once,
      () => `${events.length} were emitted at once although ${before.length - arrived} wait before them`,
    )
    this.#emitted.set(partition, [...before, ...events.map(({ id }) => id)])
    if (number === 0) this.#arrived.set(partition, arrived + events.length)
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

  /** What a partition of the target holds of this channel, when everything has arrived. */
  read(partition: number, ids: readonly string[]): void {
    const expected = this.#emitted.get(partition) ?? []
    demand(
      ids.join() === expected.join(),
      once,
      () => `partition ${partition} of the target holds ${ids.join()}, emitted were ${expected.join()}`,
    )
  }
}
