import { dayAfter, daysBetween } from './calendar.ts'

/** What is known of a product. */
export interface ProductFacts {
  readonly name: string
  readonly supplier: string
  /** Pieces that are expected to be sold a day. */
  readonly dailyForecast: number
  /** Pieces below which it is time to reorder. */
  readonly reorderLevel: number
}

/** What is known of one line of a purchase order that has not come to its end. */
export interface LineFacts {
  readonly order: string
  readonly line: number
  readonly supplier: string
  readonly quantity: number
  /** YYYY-MM-DD. */
  readonly orderedOn: string
  /** YYYY-MM-DD. */
  readonly dueOn: string
  readonly shipped: boolean
  /** Version of the order by which this line was changed last. */
  readonly lineVersion: number
  /** Version of the order that this is of. */
  readonly version: number
}

/** Thresholds of the rules. */
export interface Thresholds {
  /** An order that is older and not shipped is to be cancelled, in days. */
  readonly staleDays: number
  /** Stock that lasts longer is enough, in days of the forecast. */
  readonly coverDays: number
  /** By when an order can come that is brought forward, in days. */
  readonly urgentDays: number
  /** An order is postponed by at most so many days. */
  readonly postponeDays: number
}

export const defaultThresholds: Thresholds = {
  staleDays: 60,
  coverDays: 45,
  urgentDays: 7,
  postponeDays: 180,
}

/** What is to be done about a line. */
export type VerdictKind = 'cancel' | 'postpone' | 'bring-forward' | 'keep' | 'waiting'

/** A verdict with the numbers that it rests on. */
export interface Verdict {
  readonly kind: VerdictKind
  /** The date that is suggested, for `postpone` and `bring-forward`. */
  readonly proposedDueOn?: string
  /** What is missing, for `waiting`. */
  readonly waitingFor?: string
  readonly numbers: Readonly<Record<string, number>>
  /** In words, with the numbers. */
  readonly reason: string
}

/**
 * What to do about a line of an order, as far as order, product, stock and day tell: cancel what is overdue to be
 * shipped, postpone what the stock makes superfluous for now, bring forward what is missing, keep the rest.
 *
 * @param stock Pieces; undefined: nobody has counted yet.
 * @param today YYYY-MM-DD.
 */
export function review(
  line: LineFacts,
  product: ProductFacts | undefined,
  stock: number | undefined,
  today: string,
  thresholds: Thresholds = defaultThresholds,
): Verdict {
  if (line.shipped) return { kind: 'keep', numbers: {}, reason: 'The order is on its way.' }
  if (!product) return waiting('product')
  const ageDays = daysBetween(line.orderedOn, today)
  const { staleDays } = thresholds
  if (ageDays > staleDays)
    return {
      kind: 'cancel',
      numbers: { ageDays, staleDays },
      reason: `The order is ${ageDays} days old and not shipped; ${staleDays} days are the limit.`,
    }
  if (stock === undefined) return waiting('stock level')
  return judgedByStock(line, product, stock, today, thresholds)
}

function judgedByStock(
  { dueOn }: LineFacts,
  { dailyForecast, reorderLevel }: ProductFacts,
  stock: number,
  today: string,
  { coverDays, urgentDays, postponeDays }: Thresholds,
): Verdict {
  const lastsDays =
    dailyForecast > 0 ? Math.floor(Math.max(stock, 0) / dailyForecast) : Number.POSITIVE_INFINITY
  const lasts = Number.isFinite(lastsDays) ? `lasts ${lastsDays} days` : 'is not being sold'
  const numbers = { stock, dailyForecast, ...(Number.isFinite(lastsDays) ? { lastsDays } : {}) }
  const enough = dayAfter(today, Math.min(lastsDays - coverDays, postponeDays))
  if (stock > 0 && stock >= reorderLevel && lastsDays > coverDays && enough > dueOn)
    return {
      kind: 'postpone',
      proposedDueOn: enough,
      numbers: { ...numbers, coverDays },
      reason: `The stock of ${stock} pieces ${lasts} at ${dailyForecast} a day; ${coverDays} days are enough.`,
    }
  const soonest = dayAfter(today, urgentDays)
  if (stock < reorderLevel && dueOn > soonest) {
    const dueDays = daysBetween(today, dueOn)
    return {
      kind: 'bring-forward',
      proposedDueOn: soonest,
      numbers: { ...numbers, reorderLevel, dueDays },
      reason: `The stock of ${stock} pieces is below the reorder level of ${reorderLevel}, and the order is due in ${dueDays} days.`,
    }
  }
  return {
    kind: 'keep',
    numbers: { ...numbers, reorderLevel, coverDays },
    reason: `The stock of ${stock} pieces ${lasts} at ${dailyForecast} a day: neither too much nor too little.`,
  }
}

function waiting(what: string): Verdict {
  return { kind: 'waiting', waitingFor: what, numbers: {}, reason: `Waiting for the ${what}.` }
}
