import { appendOne } from '@millrace/log'
import { replay, run } from '@millrace/processor'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { leadsProcessor } from '@millrace-app/leads'
import { offers } from '@millrace-app/leads/topics'
import { eventOf } from '../../apps/leads/src/testing/events.ts'
import { CountingDesk } from '../../apps/leads/src/testing/flaky.ts'
import { randomHistory, shuffled } from '../../apps/leads/src/testing/histories.ts'
import { randomOf } from '../support/random.ts'
import { startRedis } from '../support/redis.ts'

/** What a replay of offers came to. */
export interface LeadsReplay {
  readonly events: number
  readonly liveSeconds: number
  readonly replaySeconds: number
  /** What was quoted, told and called when all was handled, and after the replay. */
  readonly done: readonly [live: string, replayed: string]
  readonly withheld: number
  /** Buyers whose state is another one after the replay. */
  readonly different: number
  readonly switched: boolean
}

/** Twenty facts a buyer, out of order. */
const factsOfBuyer = 20
const buyersAtOnce = 200

/**
 * Handles so many offer events on Redis, with everything done that they ask for, and replays all of them: the states
 * are folded anew and switched in, and nothing is quoted, told or called again.
 */
export async function runLeadsReplay(events: number, say: (line: string) => void): Promise<LeadsReplay> {
  const redis = await startRedis()
  const [log, store] = [await connectLog({ url: redis.url }), await connectGroupStore({ url: redis.url })]
  const desk = new CountingDesk()
  const processor = leadsProcessor({ desk })
  const random = randomOf(1)
  const buyers = Math.ceil(events / factsOfBuyer)
  const beganMs = performance.now()
  const running = await run(processor, { log, store, effectsWaiting: 50_000, effectsAtOnce: 256 })
  for (let first = 0; first < buyers; first += buyersAtOnce) {
    const some = Array.from({ length: Math.min(buyersAtOnce, buyers - first) }, (_, n) => {
      const order = shuffled(random, randomHistory(random, factsOfBuyer, 3))
      return order.map((one) => eventOf(`b${first + n}`, one))
    })
    for (let at = 0; at < factsOfBuyer; at += 5)
      await Promise.all(some.map((one) => appendOne(log, offers, { events: one.slice(at, at + 5) })))
    if (first % (buyersAtOnce * 10) === 0) say(`${first * factsOfBuyer} events are on the log`)
  }
  for (let open = 1; open > 0;) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    open = 0
    for (let partition = 0; partition < offers.partitions; partition++) {
      const audit = await store.audit({ topic: offers, partition, group: processor.name })
      const { tip, position, deferred, effects } = audit.counters
      open += tip - position + deferred + effects.pending
    }
  }
  await running.stop()
  const liveSeconds = (performance.now() - beganMs) / 1_000
  const live = sums(desk)
  say(`handled: ${live}`)
  const from = performance.now()
  const options = { log, store, compareEmits: false }
  const { differences, withheld } = await replay(processor, { ...options, finish: 'compare' })
  const { switched } = await replay(processor, { ...options, finish: 'switch' })
  const replaySeconds = (performance.now() - from) / 1_000
  await Promise.all([store.close(), log.close()])
  await redis.stop()
  return {
    ...{ events: buyers * factsOfBuyer, liveSeconds, replaySeconds, switched },
    done: [live, sums(desk)],
    withheld: withheld.effects,
    different: differences?.different ?? 0,
  }
}

function sums(desk: CountingDesk): string {
  const all = [...desk.done.values()]
  const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0)
  return [
    `${sum(({ quotes }) => quotes.size)} quotes`,
    `${sum(({ contacts }) => contacts)} contacts`,
    `${sum(({ calls }) => calls.size)} calls`,
    `${sum(({ mails }) => mails.size)} mails`,
  ].join(', ')
}
