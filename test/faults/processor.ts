import { newEvent } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { Redis } from 'ioredis'
import { between, oneOf, type Random, randomOf } from '../support/random.ts'
import { startRedis } from '../support/redis.ts'
import { ClickFleet, type FleetTale, pauseOf } from './click-fleet.ts'
import { unproven } from './click-report.ts'
import { type ClickVerdict, clickVerdict, conservationFaults, openEvents } from './click-verdict.ts'
import { clicks, notesKey } from './clicks.ts'

/** What a run is asked for. */
export interface ClickRunOptions {
  readonly seed: number
  readonly clicks: number
  readonly keys?: number
  /** Clicks a second, about. Default: 3,000, or what makes the feed last 30 s. */
  readonly pace?: number
  readonly leaseMs?: number
  /** What a new owner may take beyond the lease, in ms. Default 5,000: nothing else is done on the machine. */
  readonly takeoverMs?: number
  readonly onProgress?: (line: string) => void
}

/** What came of it. */
export interface ClickReport {
  readonly seed: number
  readonly seconds: number
  readonly tale: FleetTale
  readonly leaseMs: number
  readonly takeoverMs: number
  /** How often the ledgers were looked at while everything was going on. */
  readonly looks: number
  /** What did not add up then. */
  readonly imbalances: readonly string[]
  readonly verdict: ClickVerdict
}

const memberCount = 3
const batch = 250
/** How long the members may take for the rest when nothing disturbs them any more, in ms. */
const patienceMs = 300_000

/** Clicks of many keys through three member processes, which are killed, paused past their lease, cut off and hung. */
export async function runClicks(options: ClickRunOptions): Promise<ClickReport> {
  const { seed, leaseMs = 3_000, takeoverMs = 5_000, onProgress = () => undefined } = options
  const startMs = performance.now()
  const server = await startRedis({ appendonly: true })
  const { url } = server
  const [log, store, redis] = [await connectLog({ url }), await connectGroupStore({ url }), new Redis(url)]
  const fleet = new ClickFleet(server, leaseMs)
  const imbalances: string[] = []
  let looks = 0
  const look = async (): Promise<void> => {
    looks += 1
    imbalances.push(...(await conservationFaults(store)))
  }
  try {
    for (let at = 0; at < memberCount; at++) await fleet.join()
    let fedMs = Number.POSITIVE_INFINITY
    let isOver = false
    // What is to be proven has to happen, however busy the machine is: until it has, there is more to do.
    const isEnough = (): boolean => {
      const sinceMs = performance.now() - fedMs
      return isOver || sinceMs > patienceMs || (sinceMs >= 0 && unproven(fleet.tale).length === 0)
    }
    const end = (): void => {
      isOver = true
    }
    const fed = (): void => {
      fedMs = performance.now()
    }
    const feeding = feed(log, options, { fed, over: () => isOver })
    // Whoever waits for it hears of it.
    feeding.catch(end)
    await disturb(fleet, randomOf(seed ^ 0x5eed), { over: isEnough, look, onProgress }).finally(end)
    await feeding
    const untilMs = performance.now() + patienceMs
    while ((await openEvents(store)) > 0 && performance.now() < untilMs) {
      await look()
      await pauseOf(200)
    }
    await fleet.stop()
    const notes = await redis.lrange(notesKey, 0, -1)
    const verdict = await clickVerdict(log, store, notes)
    const seconds = (performance.now() - startMs) / 1_000
    return { seed, seconds, leaseMs, takeoverMs, tale: fleet.tale, looks, imbalances, verdict }
  } finally {
    await fleet.end()
    await Promise.all([log.close(), store.close(), redis.quit()])
    await server.stop()
  }
}

/** Appends clicks at a steady pace: as many as were asked for, then more until it is over. */
async function feed(
  log: EventLog,
  { seed, clicks: count, keys = 10_000, pace }: ClickRunOptions,
  { fed, over }: { readonly fed: () => void; readonly over: () => boolean },
) {
  const perSecond = pace ?? Math.min(3_000, count / 30)
  const random = randomOf(seed)
  const startMs = performance.now()
  for (let from = 0; from < count || !over(); from += batch) {
    if (from >= count && from < count + batch) fed()
    const units = Array.from({ length: batch }, (_, at) => {
      // A few keys have many clicks.
      const key = random() < 0.2 ? `hot-${between(random, 1, 20)}` : `key-${between(random, 1, keys)}`
      return { events: [newEvent(clicks, { type: 'Clicked', key, data: { n: from + at } })] }
    })
    const refused = (await log.append(clicks, units)).find(({ status }) => status !== 'appended')
    if (refused) throw new Error(`A click was not appended: ${refused.status}`)
    const aheadMs = startMs + ((from + batch) / perSecond) * 1_000 - performance.now()
    if (aheadMs > 0) await pauseOf(aheadMs)
  }
}

interface Disturbance {
  readonly over: () => boolean
  readonly look: () => Promise<void>
  readonly onProgress: (line: string) => void
}

/** One fault after the other, in shuffled rounds so that each kind comes, until the feed is over. */
async function disturb(fleet: ClickFleet, random: Random, { over, look, onProgress }: Disturbance) {
  const acts = {
    kill: () => fleet.kill(oneOf(random, fleet.members)),
    pause: () => fleet.pause(oneOf(random, fleet.members)),
    cut: async () => fleet.cut(oneOf(random, fleet.members)),
    lose: () => fleet.lose(oneOf(random, fleet.members), between(random, 2, 6)),
    hang: () => fleet.hang(oneOf(random, fleet.members), between(random, 200, fleet.leaseMs * 2)),
  }
  const kinds = Object.keys(acts) as (keyof typeof acts)[]
  let round: (keyof typeof acts)[] = []
  await pauseOf(fleet.leaseMs)
  while (!over()) {
    if (round.length === 0) round = shuffled(random, kinds)
    const kind = round.pop() as keyof typeof acts
    onProgress(kind)
    await acts[kind]()
    await look()
    await pauseOf(between(random, 100, 1_500))
  }
}

function shuffled<T>(random: Random, all: readonly T[]): T[] {
  return all
    .map((one) => ({ one, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one)
}
