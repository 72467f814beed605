import type { Topic } from '@millrace/event'
import type { ChannelBatch, ChannelResult, ChannelState, EventLog, Fence, FenceResult } from '@millrace/log'
import { demand } from '../story.ts'
import type { HeldLog } from './held-log.ts'

const idempotent = 'guarantee 2, append is idempotent'
const fence = 'guarantee 6, zombies are fenced'

/** Holds what became of batches against what their channels have: each event once, without a gap, of one producer. */
export class BatchJudge {
  readonly #held: HeldLog
  readonly #channels = new Map<string, ChannelState>()
  readonly #fences = new Map<string, string>()

  constructor(held: HeldLog) {
    this.#held = held
  }

  fenced(partition: number, { name, token }: Fence, result: FenceResult): void {
    const before = this.#fences.get(`${partition}/${name}`) ?? '0-'
    if (result.status === 'refused') {
      demand(
        result.token === before && before !== token && counterOf(token) <= counterOf(before),
        fence,
        () => `${token} is refused behind ${before}, said to be ${result.token}`,
      )
      return
    }
    demand(
      token === before || counterOf(token) > counterOf(before),
      fence,
      () => `${token} was set behind ${before}`,
    )
    this.#fences.set(`${partition}/${name}`, token)
  }

  /** Answers what it came to. */
  answered(topic: Topic, batch: ChannelBatch, result: ChannelResult): string {
    const { partition, channel, incarnation, first, events, mark } = batch
    const state = this.#stateOf(partition, channel)
    const holds =
      batch.fence === undefined || this.#fences.get(`${partition}/${batch.fence.name}`) === batch.fence.token
    const last = incarnation > state.incarnation ? 0 : state.last
    if (result.status === 'refused') {
      const { code } = result.error
      const so =
        (code === 'append.channel-fenced' && !holds) ||
        (code === 'append.channel-stale' && incarnation < state.incarnation) ||
        (code === 'append.channel-gap' && first > last + 1)
      demand(
        so,
        idempotent,
        () => `${first} of ${channel} is refused: ${code}; it has ${JSON.stringify(state)}`,
      )
      return code
    }
    demand(holds, fence, () => `a batch of ${channel} was taken with ${batch.fence?.token}`)
    demand(
      incarnation >= state.incarnation,
      fence,
      () => `incarnation ${incarnation} was taken behind ${state.incarnation}`,
    )
    demand(first <= last + 1, idempotent, () => `${first} of ${channel} was taken behind ${last}`)
    const fresh = events.slice(Math.max(0, last + 1 - first))
    demand(
      result.taken === fresh.length && result.last === last + fresh.length,
      idempotent,
      () =>
        `of ${events.length} from ${first} behind ${last}, ${result.taken} were taken up to ${result.last}`,
    )
    for (const event of fresh)
      this.#held.add(topic, partition, event, undefined, { fingerprint: undefined, claims: false, atMs: 0 })
    // A mark alone is that of a producer who knows what comes next.
    if (fresh.length > 0 || (events.length === 0 && first === last + 1))
      this.#channels.set(`${partition}/${channel}`, {
        ...{ incarnation, last: result.last },
        mark: mark ?? state.mark,
      })
    return result.status
  }

  /** @throws Violation */
  async read(log: EventLog, topic: Topic, channels: readonly string[]): Promise<void> {
    for (let partition = 0; partition < topic.partitions; partition++)
      for (const channel of channels) {
        const [found, expected] = [
          JSON.stringify(said(await log.channel(topic, partition, channel))),
          JSON.stringify(said(this.#stateOf(partition, channel))),
        ]
        demand(found === expected, idempotent, () => `channel ${channel} is at ${found}, not ${expected}`)
      }
  }

  #stateOf(partition: number, channel: string): ChannelState {
    return this.#channels.get(`${partition}/${channel}`) ?? { incarnation: 0, last: 0, mark: undefined }
  }
}

function said({ incarnation, last, mark }: ChannelState): unknown {
  return [incarnation, last, mark]
}

function counterOf(token: string): number {
  return Number(token.split('-')[0])
}
