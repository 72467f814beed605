import { type LineFacts, type ProductFacts, review, type Thresholds, type Verdict } from './review.ts'

/** A difference of the stock that the database's log has told, with its place there. */
interface Movement {
  readonly lsn: string
  readonly difference: number
}

/** What of a verdict is worth to be said anew when it changes. */
type Said = Pick<Verdict, 'kind' | 'proposedDueOn' | 'waitingFor'>

/** A line with what was last said about it. */
interface ReviewedLine extends LineFacts {
  readonly said?: Said
}

/** All that is known of one product: everything about it meets here. */
export interface ProductState {
  readonly product?: ProductFacts
  /** Since which place (seq) of the log the product is known so. */
  readonly productAt?: number
  /** Undefined until it was counted or has moved. */
  readonly stock?: number
  /** Place in the database's log of the last count. */
  readonly countedAt?: string
  /** The latest movements: a count may come after movements that it does not hold. */
  readonly movements: readonly Movement[]
  /** Place of the latest movement that was forgotten. */
  readonly forgotten?: string
  /** Lines of orders that have not come to their end, by `order/line`. */
  readonly lines: Readonly<Record<string, ReviewedLine>>
}

export const unknownProduct: ProductState = { movements: [], lines: {} }

/** A line of an order as it came. */
export interface SeenLine extends LineFacts {
  /** Delivered or cancelled: nothing is to be suggested any more. */
  readonly finished: boolean
}

/** What is said about a line. */
export interface Review {
  readonly line: LineFacts
  readonly product: ProductFacts | undefined
  /** `finished`: the order or its line has come to its end. */
  readonly verdict: Verdict | 'finished'
}

/** A state, and what is to be said with it. */
export interface Step {
  readonly state: ProductState
  readonly reviews: readonly Review[]
}

/** A review that may have to be gone on with. */
export interface ReviewStep extends Step {
  /** There is more to be said than one event may bring about. */
  readonly unsaid: boolean
}

const movementsKept = 200
/** Most that is said about a product at once; a processor takes at most 100 emits of one event. */
const saidAtOnce = 90

/** A product as it came. */
interface ToldProduct extends ProductFacts {
  /** Out of a snapshot: how far the log went (seq) when that was begun. */
  readonly begunAt?: number | undefined
}

/**
 * The product is known, or known better. What is told later is newer, and a snapshot counts as told when it was begun: it
 * may not hold what was published since.
 *
 * @param seq Place of the telling in the log.
 */
export function productKnown(
  state: ProductState,
  { begunAt, ...product }: ToldProduct,
  seq: number,
): ProductState {
  const productAt = begunAt ?? seq
  if (state.productAt !== undefined && state.productAt > productAt) return state
  return { ...state, product, productAt }
}

/** The stock has moved by a difference. One that the last count holds already changes nothing. */
export function stockMoved(state: ProductState, difference: number, lsn: string | undefined): ProductState {
  if (lsn !== undefined && state.countedAt !== undefined && lsn < state.countedAt) return state
  const stock = (state.stock ?? 0) + difference
  if (lsn === undefined) return { ...state, stock }
  const movements = [...state.movements, { lsn, difference }]
  const [oldest] = movements
  return movements.length > movementsKept && oldest
    ? { ...state, stock, movements: movements.slice(1), forgotten: oldest.lsn }
    : { ...state, stock, movements }
}

/**
 * The stock was counted: `quantity` holds every movement before `lsn`. Those at it or after it that have come already
 * are added. A count that is older than one before, or than a movement that was forgotten, changes nothing.
 */
export function stockCounted(state: ProductState, quantity: number, lsn: string): ProductState {
  if (state.countedAt !== undefined && state.countedAt >= lsn) return state
  if (state.forgotten !== undefined && state.forgotten >= lsn) return state
  const later = state.movements.filter((movement) => movement.lsn >= lsn)
  const stock = later.reduce((sum, { difference }) => sum + difference, quantity)
  return { ...state, stock, countedAt: lsn, movements: later }
}

/**
 * A line of an order has come, and is judged; one of a version that is known, or older, changes nothing. A product has
 * hundreds of lines: the others are as they were.
 */
export function lineSeen(
  state: ProductState,
  { finished, ...line }: SeenLine,
  today: string,
  thresholds: Thresholds,
): Step {
  const name = lineName(line)
  const known = state.lines[name]
  if (known && (known.version > line.version || (known.version === line.version && !finished)))
    return { state, reviews: [] }
  if (!finished) {
    const kept = known?.said ? { ...line, said: known.said } : line
    // It is said anew although the verdict is the same: the line itself has changed.
    const news = reviewOf(state, kept, today, thresholds, known?.lineVersion !== line.lineVersion)
    const lines = { ...state.lines, [name]: news?.known ?? kept }
    return { state: { ...state, lines }, reviews: news ? [news.review] : [] }
  }
  if (!known) return { state, reviews: [] }
  const lines = Object.fromEntries(Object.entries(state.lines).filter(([other]) => other !== name))
  return { state: { ...state, lines }, reviews: [{ line, product: state.product, verdict: 'finished' }] }
}

/**
 * Reviews every line, and says what has changed: another verdict, another date. What is not said this time is said by
 * the next review.
 */
export function reviewAll(state: ProductState, today: string, thresholds: Thresholds): ReviewStep {
  const reviews: Review[] = []
  const lines: Record<string, ReviewedLine> = {}
  let unsaid = false
  for (const [name, known] of Object.entries(state.lines)) {
    const news = reviewOf(state, known, today, thresholds)
    const isTold = news !== undefined && reviews.length < saidAtOnce
    lines[name] = isTold ? news.known : known
    if (isTold) reviews.push(news.review)
    else if (news) unsaid = true
  }
  return { state: reviews.length === 0 ? state : { ...state, lines }, reviews, unsaid }
}

/** What is to be said of a line, and the line with it; undefined when nothing has changed. */
function reviewOf(
  { product, stock }: ProductState,
  { said, ...line }: ReviewedLine,
  today: string,
  thresholds: Thresholds,
  always = false,
): { readonly known: ReviewedLine; readonly review: Review } | undefined {
  const verdict = review(line, product, stock, today, thresholds)
  const { kind, proposedDueOn, waitingFor } = verdict
  const same = said?.kind === kind && said.proposedDueOn === proposedDueOn && said.waitingFor === waitingFor
  if (same && !always) return undefined
  const now: Said = {
    kind,
    ...(proposedDueOn === undefined ? {} : { proposedDueOn }),
    ...(waitingFor === undefined ? {} : { waitingFor }),
  }
  return { known: { ...line, said: now }, review: { line, product, verdict } }
}

export function lineName({ order, line }: Pick<LineFacts, 'order' | 'line'>): string {
  return `${order}/${line}`
}
