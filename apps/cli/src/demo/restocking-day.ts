import { freshId, MillraceError } from '@millrace/event'
import { changeMany, forecastMany, moveMany, placeMany } from './restocking-others.ts'
import type { RestockingPlaces, RestockingRig } from './restocking-places.ts'
import { knockWithPoison, leavePoison, publish } from './restocking-poison.ts'
import { type Counts, listed } from './restocking-seen.ts'
import { Seeded } from './seeded.ts'

/** What a day was made of. */
export interface Day {
  /** Events that must come of it, by type. */
  readonly events: Readonly<Record<string, number>>
  /** Dead letters that must come of it, by reason. */
  readonly dead: Counts
  /** How poison was refused at the door, by reason. */
  readonly refused: Counts
  /** Suggestions whose click was carried out; of each a mail goes out. */
  readonly clicked: readonly string[]
  /** Clicks that came too late: the order had changed. */
  readonly late: number
}

/** How a day is made. */
export interface DayOptions extends RestockingPlaces {
  readonly events: number
  readonly seed: string
  readonly signal: AbortSignal
  readonly onDone: (events: number) => void
}

const parts = 20
const clicksAtOnce = 4

/** Lets a day pass: others work in the central database and publish products, planners click meanwhile. */
export async function passDay(rig: RestockingRig, options: DayOptions): Promise<Day> {
  const { events: total, signal } = options
  const random = new Seeded(options.seed)
  const intake = { url: options.restockingUrl, token: options.serviceToken }
  const products = await productIds(rig)
  const events = {
    StockLevelChanged: 0,
    PurchaseOrderChanged: 0,
    PurchaseOrderCreated: 0,
    ProductInformation: 0,
  }
  const many = (part: number): number => Math.max(1, Math.round((total * part) / parts))
  const poison = Math.max(2, Math.round(total / 2_500))
  const done = (): void => options.onDone(Object.values(events).reduce((sum, one) => sum + one, 0))
  const dead = await leavePoison(rig, poison)
  // Those that break their schema are of a type that we know.
  events.StockLevelChanged += poison
  const refused = await knockWithPoison(intake, signal)
  const clicksOfPart = Math.min(10, Math.max(1, Math.round(total / 4_000)))
  const clicked: string[] = []
  let late = 0
  for (let part = 0; part < parts && !signal.aborted; part += 1) {
    const open = (await listed(rig)).filter(({ status }) => status === 'open')
    const clicks = open.slice(0, clicksOfPart).map(({ id }) => id)
    const clicking = click(rig, clicks)
    events.StockLevelChanged += await moveMany(rig.central, random, products, many(0.91))
    events.PurchaseOrderChanged += await changeMany(rig.central, random, many(0.04))
    events.PurchaseOrderCreated += await placeMany(rig.central, random, products, many(0.01))
    const known = await forecastMany(rig.central, random, products, many(0.04))
    await publish(intake, known, signal)
    events.ProductInformation += known.length
    const carried = await clicking
    clicked.push(...carried)
    late += clicks.length - carried.length
    done()
  }
  events.PurchaseOrderChanged += clicked.length
  return { events, dead, refused, clicked, late }
}

async function productIds({ central }: RestockingRig): Promise<readonly string[]> {
  const rows = await central.read((queries) =>
    queries.rows<{ id: string }>('SELECT product_id AS id FROM stock ORDER BY product_id'),
  )
  if (rows.length === 0)
    throw new MillraceError('settings.invalid', 'The central database has no products; see PURCHASING_SEED')
  return rows.map(({ id }) => id)
}

/** Carries suggestions out as a planner does. Answers those that were. */
async function click({ restocking }: RestockingRig, ids: readonly string[]): Promise<readonly string[]> {
  const carried: string[] = []
  for (let at = 0; at < ids.length; at += clicksAtOnce) {
    const body = { ids: ids.slice(at, at + clicksAtOnce) }
    const headers = { 'X-Actor': 'demo' }
    const answer = await restocking.json('/suggestions/carry-out', {
      body,
      headers,
      idempotencyKey: freshId(),
    })
    const { results } = answer.body as { results: readonly { id: string; problem?: object }[] }
    carried.push(...results.filter(({ problem }) => problem === undefined).map(({ id }) => id))
  }
  return carried
}
