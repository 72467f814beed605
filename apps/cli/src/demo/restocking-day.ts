import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/event'
import { restockingLag } from '../restocking-initialise.ts'
import { changeMany, forecastMany, moveMany, placeMany } from './restocking-others.ts'
import type { RestockingPlaces, RestockingRig } from './restocking-places.ts'
import { knockWithPoison, leavePoison, publish } from './restocking-poison.ts'
import { type Clicks, Planners } from './restocking-planners.ts'
import type { Counts, EventCounter } from './restocking-seen.ts'
import { Seeded } from './seeded.ts'

/** What a day was made of. */
export interface Day {
  /** Events that must come of it, by type. */
  readonly events: Readonly<Record<string, number>>
  /** Dead letters that must come of it, by reason. */
  readonly dead: Counts
  /** How poison was refused at the door, by reason. */
  readonly refused: Counts
  readonly clicks: Clicks
}

/** How a day is made. */
export interface DayOptions extends RestockingPlaces {
  readonly events: number
  readonly seed: string
  /** How long the system may stand still, in ms. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  /** Counts what comes onto the topic of supply. */
  readonly counter: EventCounter
  readonly onDone: (events: number) => void
}

/** Others do so many things at once; and no more before the system has all but so many of them behind it. */
const partEvents = 250
const mostBehind = 250
const mostClicks = 200
const eventsPerClick = 50
/** The owner of the orders is busy: so many of its answers come so long after their commit. */
const slowAnswers = { ms: 2_500, share: 0.75 }

/** Lets a day pass: others work in the central database and publish products, planners click meanwhile. */
export async function passDay(rig: RestockingRig, options: DayOptions): Promise<Day> {
  const { seed, signal } = options
  const { dead, refused, poison } = await poisonAll(rig, options)
  const planners = new Planners(rig, { seed, signal })
  await answersOf(rig, slowAnswers)
  try {
    const day = passParts(rig, options, planners, poison)
    // Planners are waited for whatever happens to the others.
    const [events, clicks] = await Promise.all([
      day,
      day.catch(() => undefined).then(() => planners.finish()),
    ])
    events.PurchaseOrderChanged += clicks.carried.length
    return { events, dead, refused, clicks }
  } finally {
    await answersOf(rig, { ms: 0 })
  }
}

async function answersOf({ purchasing }: RestockingRig, pause: object): Promise<void> {
  await purchasing.json('/admin/answer-pause', { method: 'PUT', body: pause })
}

async function poisonAll(rig: RestockingRig, options: DayOptions) {
  const poison = Math.max(2, Math.round(options.events / 2_500))
  const dead = await leavePoison(rig, poison)
  return { dead, poison, refused: await knockWithPoison(intakeOf(options), options.signal) }
}

function intakeOf({ restockingUrl: url, serviceToken: token }: DayOptions) {
  return { url, token }
}

async function passParts(rig: RestockingRig, options: DayOptions, planners: Planners, poison: number) {
  const { events: total, signal } = options
  const random = new Seeded(options.seed)
  const products = await productIds(rig)
  const parts = Math.max(1, Math.round(total / partEvents))
  const clicks = Math.min(mostClicks, Math.ceil(total / eventsPerClick))
  const many = (share: number): number => Math.max(1, Math.round((total * share) / parts))
  const events = {
    // Those that break their schema are of a type that we know.
    StockLevelChanged: poison,
    PurchaseOrderChanged: 0,
    PurchaseOrderCreated: 0,
    ProductInformation: 0,
  }
  for (let part = 0; part < parts && !signal.aborted; part += 1) {
    planners.release(Math.floor(((part + 1) * clicks) / parts) - Math.floor((part * clicks) / parts))
    events.StockLevelChanged += await moveMany(rig.central, random, products, many(0.91))
    events.PurchaseOrderChanged += await changeMany(rig.central, random, many(0.02))
    events.PurchaseOrderCreated += await placeMany(rig.central, random, products, many(0.03))
    const known = await forecastMany(rig.central, random, products, many(0.04))
    await publish(intakeOf(options), known, signal)
    events.ProductInformation += known.length
    options.onDone(Object.values(events).reduce((sum, one) => sum + one, 0))
    await keepUp(rig, options, events)
  }
  return events
}

/** A day has time: what others do next, they do when the system knows most of what they have done. */
async function keepUp(
  rig: RestockingRig,
  { counter, patienceMs, signal }: DayOptions,
  made: Counts,
): Promise<void> {
  let [least, sinceMs] = [Number.POSITIVE_INFINITY, performance.now()]
  while (!signal.aborted) {
    const arrived = await counter.catchUp()
    const onTheWay = Object.entries(made).map(([type, count]) => Math.max(0, count - (arrived[type] ?? 0)))
    const behind = onTheWay.reduce((sum, one) => sum + one, await restockingLag(rig))
    if (behind <= mostBehind) return
    if (behind < least) [least, sinceMs] = [behind, performance.now()]
    if (performance.now() - sinceMs > patienceMs)
      throw new MillraceError('service.unavailable', `The system stands still ${behind} events behind`)
    await delay(20)
  }
}

async function productIds({ central }: RestockingRig): Promise<readonly string[]> {
  const rows = await central.read((queries) =>
    queries.rows<{ id: string }>('SELECT product_id AS id FROM stock ORDER BY product_id'),
  )
  if (rows.length === 0)
    throw new MillraceError('settings.invalid', 'The central database has no products; see PURCHASING_SEED')
  return rows.map(({ id }) => id)
}
