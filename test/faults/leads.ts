import { setTimeout as delay } from 'node:timers/promises'
import { appendOne, beginning, type EventLog } from '@millrace/log'
import type { GroupStore } from '@millrace/processor'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { foldFacts, leadsOf, type OfferFact } from '@millrace-app/leads'
import { offers, sales } from '@millrace-app/leads/topics'
import { Redis } from 'ioredis'
import { eventOf, partitionOfBuyer, stateOf } from '../../apps/leads/src/testing/events.ts'
import { randomHistory, shuffled, withDuplicates } from '../../apps/leads/src/testing/histories.ts'
import { between, oneOf, randomOf } from '../support/random.ts'
import { startRedis } from '../support/redis.ts'
import { Child } from './child.ts'
import { legacyKey, mailsKey } from './leads-notes.ts'
import type { LeadsOrder, LeadsWord } from './leads-process.ts'

/** What a run is asked for. */
export interface LeadsRunOptions {
  readonly seed: number
  readonly buyers: number
  readonly kills: number
  /** A planted bug, to be found. */
  readonly planted?: boolean
  /** How long everything may take when nothing disturbs it any more, in ms. Default 300,000. */
  readonly patienceMs?: number
  readonly onProgress?: (line: string) => void
}

/** What came of it. */
export interface LeadsRunReport {
  readonly seed: number
  readonly buyers: number
  readonly events: number
  readonly kills: number
  readonly seconds: number
  /** What is not as the fold of the facts says. */
  readonly wrong: readonly string[]
}

interface Case {
  readonly buyer: string
  readonly before: readonly OfferFact[]
  readonly history: readonly OfferFact[]
  readonly order: readonly OfferFact[]
}

const memberCount = 3

/**
 * Offers of many buyers, out of order and with duplicates, through three members of leads that are killed again and
 * again, while every handler and the legacy system fail now and then. Judged by a pure fold.
 */
export async function runLeads(options: LeadsRunOptions): Promise<LeadsRunReport> {
  const { seed, buyers, kills, planted = false, patienceMs = 300_000 } = options
  const { onProgress = () => undefined } = options
  const random = randomOf(seed)
  const beganMs = performance.now()
  const redis = await startRedis()
  const [log, store, notes] = [
    await connectLog({ url: redis.url }),
    await connectGroupStore({ url: redis.url }),
    new Redis(redis.url),
  ]
  const cases = Array.from({ length: buyers }, (_, n): Case => {
    const whole = randomHistory(random, between(random, 1, 60), 1 + (n % 5))
    // Every third buyer comes from the legacy system.
    const known = n % 3 === 0 ? Math.floor(random() * whole.length) : 0
    const history = whole.slice(known)
    const order = shuffled(random, withDuplicates(random, history, 0.2))
    return { buyer: `b${n}`, before: whole.slice(0, known), history, order }
  })
  for (const { buyer, before } of cases)
    if (before.length > 0) await notes.hset(legacyKey, buyer, JSON.stringify(before))
  let started = 0
  const join = () => {
    const order = { redisUrl: redis.url, name: `m${started}`, leaseMs: 1_500, failures: 0.05, planted }
    return new Child<LeadsOrder, LeadsWord>(
      'leads-process.ts',
      { ...order, seed: seed + started++ },
      () => undefined,
    )
  }
  let members = Array.from({ length: memberCount }, join)
  try {
    const events = cases.reduce((sum, { order }) => sum + order.length, 0)
    const fed = feed(log, cases, random)
    for (let kill = 1; kill <= kills; kill++) {
      await delay(between(random, 300, 1_200))
      const victim = oneOf(random, members)
      await victim.kill()
      members = [...members.filter((member) => member !== victim), join()]
      onProgress(`killed ${kill} of ${kills}`)
    }
    await fed
    onProgress(`${events} events are on the log`)
    await settled(store, patienceMs)
    const wrong = await judge({ log, store, notes, cases })
    const seconds = (performance.now() - beganMs) / 1_000
    return { seed, buyers, events, kills, seconds, wrong }
  } finally {
    await Promise.all(members.map((member) => member.kill()))
    await Promise.all([log.close(), store.close(), notes.quit()])
    await redis.stop()
  }
}

/** Appends what arrives, buyers mixed. */
async function feed(
  log: Pick<EventLog, 'append'>,
  cases: readonly Case[],
  random: () => number,
): Promise<void> {
  const queues = cases.map(({ buyer, order }) => ({ buyer, rest: [...order] }))
  while (queues.length > 0) {
    const queue = oneOf(random, queues)
    for (const fact of queue.rest.splice(0, between(random, 1, 5)))
      await appendOne(log, offers, { events: [eventOf(queue.buyer, fact)] })
    if (queue.rest.length === 0) queues.splice(queues.indexOf(queue), 1)
  }
}

/** Resolves when nothing is open any more: no lag, nothing parked, set aside or to be done. Else judged as it is. */
async function settled(store: GroupStore, patienceMs: number): Promise<void> {
  for (const until = performance.now() + patienceMs; performance.now() < until; await delay(100)) {
    let open = 0
    for (let partition = 0; partition < offers.partitions; partition++) {
      const at = { topic: offers, partition, group: 'leads' }
      const { tip, position, parked, deferred, effects, outbox } = (await store.audit(at)).counters
      open += tip - position + parked + deferred + effects.pending + effects.parked
      open += outbox.written - outbox.forwarded
    }
    if (open === 0) return
  }
}

interface Scene {
  readonly log: EventLog
  readonly store: GroupStore
  readonly notes: Redis
  readonly cases: readonly Case[]
}

async function judge({ log, store, notes, cases }: Scene): Promise<readonly string[]> {
  const wrong: string[] = []
  for (let partition = 0; partition < offers.partitions; partition++) {
    const at = { topic: offers, partition, group: 'leads' }
    const { differences, counters } = await store.audit(at)
    wrong.push(...differences.map((one) => `partition ${partition}: ${one}`))
    const { parked, deferred, dead } = counters
    if (parked + deferred + dead > 0)
      wrong.push(`partition ${partition}: ${parked} parked, ${deferred} deferred, ${dead} dead`)
  }
  const done = await doneOf(log)
  for (const { buyer, before, history } of cases) {
    const right = foldFacts(history, foldFacts(before).buyer)
    const found = JSON.stringify(leadsOf(await stateOf(store, buyer)))
    const wanted = JSON.stringify(leadsOf(right.buyer))
    if (found !== wanted) wrong.push(`${buyer}: ${found}, not ${wanted}`)
    if ((await store.migrations(partitionOfBuyer(buyer), [buyer])).size !== 1)
      wrong.push(`${buyer} was not taken over`)
    const tasks = right.tasks
      .map(nameOf)
      .filter((name) => name !== '')
      .toSorted(byName)
      .join(', ')
    const carried = (done.get(buyer) ?? []).toSorted(byName).join(', ')
    if (tasks !== carried) wrong.push(`${buyer}: ${carried} was done, not ${tasks}`)
  }
  const mails = new Set(await notes.lrange(mailsKey, 0, -1)).size
  const tasks = cases.flatMap(({ before, history }) => foldFacts(history, foldFacts(before).buyer).tasks)
  const mailed = tasks.filter(({ kind }) => kind === 'contact' || kind === 'tell-accepted').length
  if (mails !== mailed) wrong.push(`${mails} mails, not ${mailed}`)
  return wrong
}

function nameOf(task: ReturnType<typeof foldFacts>['tasks'][number]): string {
  if (task.kind === 'contact') return 'BuyerContacted'
  if (task.kind === 'quote') return `QuoteMade ${task.offer}`
  const name = { call: 'CallTaskOpened', 'cancel-call': 'CallTaskCancelled', 'tell-accepted': '' }[task.kind]
  return name === '' ? '' : `${name} ${task.offer}.${task.acceptance}`
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What was done for each buyer, as the log of sales has it. Mails are counted elsewhere, and stand here as nothing. */
async function doneOf(log: EventLog): Promise<ReadonlyMap<string, readonly string[]>> {
  const done = new Map<string, string[]>()
  for (let partition = 0; partition < sales.partitions; partition++)
    for (let cursor = beginning; ;) {
      const page = (await log.read(sales, new Map([[partition, cursor]]))).get(partition) ?? []
      const last = page.at(-1)
      if (!last) break
      cursor = last.position.id
      for (const { event } of page) {
        const { offer, acceptance } = event.data as { readonly offer?: string; readonly acceptance?: number }
        const of = done.get(event.subject) ?? []
        done.set(event.subject, of)
        if (event.type === 'LeadsChanged') continue
        of.push(
          event.type === 'BuyerContacted'
            ? event.type
            : `${event.type} ${offer}${acceptance === undefined ? '' : `.${acceptance}`}`,
        )
      }
    }
  return done
}
