import { MillraceError } from '@millrace/event'
import { type HandlerContext, type Processor, processor, state } from '@millrace/processor'
import {
  lineName,
  lineSeen,
  productKnown,
  type ProductState,
  type Review,
  reviewAll,
  stockCounted,
  stockMoved,
  unknownProduct,
} from './domain/product-state.ts'
import { defaultThresholds, type Thresholds, type Verdict } from './domain/review.ts'
import { type OrderDocument, productKey, suggestions, supply } from './supply-topic.ts'

/** Who owns the orders. */
export interface OrderOwner {
  /**
   * The order as it is now.
   *
   * @throws {MillraceError} `order.unknown`; what is retryable when the owner cannot be reached
   */
  order(id: string, signal: AbortSignal): Promise<OrderDocument>
}

/** Options of {@link reviewProcessor}. */
export interface ReviewOptions {
  readonly orders: OrderOwner
  readonly thresholds?: Thresholds
}

/**
 * State of a key: of an order, its newest version that was told to its products (`upTo`: so many of its lines, and not
 * all yet); of a product, all about it.
 */
type KeyState = { readonly told: number; readonly upTo?: number } | ProductState

/** Most lines of an order that are told at once; a processor takes at most 100 emits of one event. */
const linesAtOnce = 90

/** Reviews the open lines of all orders, whatever of order, product and stock comes first. */
export function reviewProcessor({
  orders,
  thresholds = defaultThresholds,
}: ReviewOptions): Processor<typeof supply, KeyState> {
  return processor('restocking', supply, {
    state: state<KeyState>({
      initial: (key) => (key.startsWith('order/') ? { told: 0 } : unknownProduct),
      // A product that sells has hundreds of open lines.
      maxBytes: 1024 * 1024,
    }),
    onExhausted: 'skip-event',
    handle: async (event, context) => {
      const today = event.time.slice(0, 10)
      const learned = (after: (before: ProductState) => ProductState): void => {
        const before = productStateOf(context)
        const { state: judged, reviews, unsaid } = reviewAll(after(before), today, thresholds)
        if (judged !== before) context.evolve(judged)
        say(context, reviews)
        if (unsaid) context.emit(supply, { type: 'ReviewDue', key: context.key, data: {} })
      }
      switch (event.type) {
        case 'PurchaseOrderCreated': {
          const order = await lookedUp(orders, event.data.id, context.signal)
          if (order) return tell(context, order)
          return context.emit(supply, { type: 'PurchaseOrderUnknown', key: context.key, data: event.data })
        }
        case 'PurchaseOrderUnknown':
          return undefined
        case 'PurchaseOrderChanged':
        case 'PurchaseOrderSnapshot':
          return tell(context, event.data)
        case 'PurchaseOrderDeleted':
          return tell(context, ended(event.data))
        case 'ProductInformation':
          return learned((before) => productKnown(before, event.data, context.position.seq))
        case 'StockLevelChanged':
          return learned((before) => stockMoved(before, event.data.difference, event.data.lsn))
        case 'StockCounted':
          return learned((before) => stockCounted(before, event.data.quantity, event.data.lsn))
        case 'ReviewDue':
          return learned((before) => before)
        case 'OrderLineSeen': {
          const before = productStateOf(context)
          const { state: after, reviews } = lineSeen(before, event.data, today, thresholds)
          if (after !== before) context.evolve(after)
          return say(context, reviews)
        }
      }
    },
  })
}

/**
 * The order as it is now, or undefined when its owner knows none: it was deleted since, and no repeat will find it. An owner
 * that cannot answer throws.
 */
async function lookedUp(
  orders: OrderOwner,
  id: string,
  signal: AbortSignal,
): Promise<OrderDocument | undefined> {
  try {
    return await orders.order(id, signal)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'order.unknown') return undefined
    throw error
  }
}

/** What a deletion means for the lines of an order: the same as its end, behind its last version. */
function ended(order: OrderDocument): OrderDocument {
  return { ...order, status: 'cancelled', version: order.version + 1 }
}

/**
 * Tells an order to its products, line by line, unless this version or a newer one was told before. One of very many
 * lines is told in parts: the order comes again for each.
 */
function tell(context: HandlerContext<KeyState>, order: OrderDocument): void {
  const { state: known } = context
  if (!('told' in known)) throw misplaced(context.key)
  const from = order.version === known.told ? known.upTo : 0
  if (order.version < known.told || from === undefined) return
  const { id, supplier, orderedOn, version, status } = order
  const ended = status === 'delivered' || status === 'cancelled'
  // Of a line that no product knows nobody need hear that it has ended: most orders that a system is filled with have.
  const isNew = known.told === 0
  const upTo = isNew && ended ? order.lines.length : from + linesAtOnce
  const isWhole = upTo >= order.lines.length
  context.evolve(isWhole ? { told: version } : { told: version, upTo })
  const lines = order.lines.slice(from, upTo).map((line) => ({
    ...line,
    finished: ended || line.status === 'cancelled',
  }))
  context.emit(
    supply,
    lines
      .filter(({ finished }) => !(isNew && finished))
      .map(({ line, product, quantity, dueOn, finished, version: lineVersion }) => ({
        type: 'OrderLineSeen',
        key: productKey(product),
        data: {
          order: id,
          line,
          supplier,
          quantity,
          orderedOn,
          dueOn,
          shipped: status === 'shipped',
          finished,
          lineVersion,
          version,
        },
      })),
  )
  if (!isWhole) context.emit(supply, { type: 'PurchaseOrderSnapshot', key: context.key, data: order })
}

function say(context: HandlerContext<KeyState>, reviews: readonly Review[]): void {
  if (reviews.length === 0) return
  const product = context.key.slice(productKey('').length)
  context.emit(
    suggestions,
    reviews.map(({ line, product: facts, verdict }) => ({
      type: 'LineReviewed',
      key: lineName(line),
      data: {
        order: line.order,
        line: line.line,
        product,
        productName: facts?.name ?? product,
        supplier: line.supplier,
        quantity: line.quantity,
        dueOn: line.dueOn,
        lineVersion: line.lineVersion,
        ...(verdict === 'finished'
          ? { kind: verdict, numbers: {}, reason: 'The order, or this line of it, has come to its end.' }
          : said(verdict)),
      },
    })),
  )
}

function said({ kind, proposedDueOn, numbers, reason }: Verdict) {
  return { kind, numbers, reason, ...(proposedDueOn === undefined ? {} : { proposedDueOn }) }
}

function productStateOf(context: HandlerContext<KeyState>): ProductState {
  if ('told' in context.state) throw misplaced(context.key)
  return context.state
}

function misplaced(key: string): MillraceError {
  return new MillraceError('event.invalid', `An event of this type does not belong to the key ${key}`)
}
