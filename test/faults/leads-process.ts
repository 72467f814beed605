import { MillraceError } from '@millrace/event'
import { run } from '@millrace/processor'
import { connectGroupStore, connectLog, connectMemberList } from '@millrace/redis'
import { createLogDesk, foldFacts, leadsProcessor, type OfferFact } from '@millrace-app/leads'
import { sales } from '@millrace-app/leads/topics'
import { Redis } from 'ioredis'
import { flaky } from '../../apps/leads/src/testing/flaky.ts'
import { customerOf } from '../../apps/leads/src/testing/legacy-in-memory.ts'
import { randomOf } from '../support/random.ts'
import { legacyKey, mailsKey } from './leads-notes.ts'

/** What a member of leads is told at its start. */
export interface LeadsOrder {
  readonly redisUrl: string
  readonly name: string
  readonly leaseMs: number
  readonly seed: number
  /** Chance of each handler, each thing that is done and each answer of the legacy system to fail. */
  readonly failures: number
  /** A planted bug: what is out of turn is left out. */
  readonly planted: boolean
}

/** What it says. */
export type LeadsWord = { readonly type: 'ready' }

process.once('disconnect', () => process.exit())
process.once('message', (order: LeadsOrder) => void follow(order))

async function follow(order: LeadsOrder): Promise<void> {
  const { redisUrl: url, leaseMs, seed, failures } = order
  const [log, store, members] = [
    await connectLog({ url }),
    await connectGroupStore({ url }),
    await connectMemberList({ url }),
  ]
  const notes = new Redis(url)
  const random = randomOf(seed)
  const stumble = (what: string) => {
    if (random() < failures) throw new MillraceError('service.unavailable', `${what} is away for a moment`)
  }
  const desk = createLogDesk({
    log,
    delivery: {
      deliver: async ({ messageId }) => {
        stumble('The mail provider')
        await notes.rpush(mailsKey, messageId)
        return { outcome: 'sent', receipt: { messageId, answer: 'ok' } }
      },
    },
    mails: { product: { name: 'Leads', url: 'http://leads.example' }, messageIdHost: 'leads.example' },
    addressOf: (buyer) => `${buyer}@buyers.example`,
  })
  const legacy = {
    ask: async (buyer: string) => {
      stumble('The legacy system')
      const known = await notes.hget(legacyKey, buyer)
      const facts = JSON.parse(known ?? '[]') as readonly OfferFact[]
      return known === null ? undefined : customerOf(foldFacts(facts).buyer, '2020-01-01T00:00:00.000Z')
    },
    tell: () => Promise.resolve(),
  }
  const onUnmet = order.planted ? { AcceptanceWithdrawn: 'ignore' as const } : {}
  const { processor } = flaky(leadsProcessor({ desk, legacy, onUnmet }), random, failures)
  const running = await run(processor, {
    ...{ log, store, members, leaseMs },
    member: order.name,
    attempts: Number.POSITIVE_INFINITY,
    effectAttempts: Number.POSITIVE_INFINITY,
    retry: { firstMs: 20, maxMs: 200 },
    effectRetry: { firstMs: 20, maxMs: 200 },
    deferBeatMs: 500,
    retrySweepMs: 1_000,
    emitsTo: [sales],
  })
  process.send?.({ type: 'ready' } satisfies LeadsWord, undefined, undefined, () => undefined)
  process.on('message', (word) => {
    if (word === 'stop') void stop()
  })

  async function stop(): Promise<void> {
    await running.stop()
    await Promise.all([members.close(), store.close(), log.close(), notes.quit()])
    process.disconnect?.()
  }
}
