import { MillraceError } from '@millrace/event'

/** States of an order. Delivered and cancelled are its ends. */
export type OrderStatus = 'open' | 'shipped' | 'delivered' | 'cancelled'

/** A line of an order: one product. */
export interface OrderLine {
  /** 1, 2, 3 … within its order. */
  readonly line: number
  readonly product: string
  /** Pieces. */
  readonly quantity: number
  /** Date, YYYY-MM-DD. */
  readonly dueOn: string
  readonly status: 'open' | 'cancelled'
  /** Version of the order by which this line was changed last. */
  readonly version: number
}

/** A purchase order that was placed with a supplier. */
export interface Order {
  readonly id: string
  readonly supplier: string
  readonly status: OrderStatus
  /** Date, YYYY-MM-DD. */
  readonly orderedOn: string
  readonly lines: readonly OrderLine[]
  /** Grows by one with every change. */
  readonly version: number
}

/** What a planner wants done about one line. */
export type LineAction =
  | { readonly action: 'cancel' }
  | { readonly action: 'postpone' | 'bring-forward'; readonly dueOn: string }

/**
 * The order after the action; its last open line cancelled cancels the order.
 *
 * @param lineVersion Version of the line that the decision is about: other lines of the order may have changed since.
 * @throws {MillraceError} `order.line-unknown`; `append.version` when the line was changed since; `order.finished` when order or line has come to its end, or has been
 *   shipped; `request.invalid` for a date that goes the wrong way
 */
export function carryOut(order: Order, line: number, action: LineAction, lineVersion: number): Order {
  const found = order.lines.find((one) => one.line === line)
  if (!found) throw new MillraceError('order.line-unknown', `Order ${order.id} has no line ${line}`)
  if (found.version !== lineVersion)
    throw new MillraceError('append.version', `Line ${line} of order ${order.id} was changed since`, {
      details: { version: found.version, orderStatus: order.status },
    })
  if (order.status !== 'open') throw finished(`Order ${order.id} is ${order.status}`)
  if (found.status !== 'open') throw finished(`Line ${line} of order ${order.id} is ${found.status}`)
  const version = order.version + 1
  const lines = order.lines.map((one) => (one === found ? { ...changedLine(found, action), version } : one))
  const status = lines.every((one) => one.status === 'cancelled') ? 'cancelled' : order.status
  return { ...order, lines, status, version }
}

function changedLine(line: OrderLine, action: LineAction): OrderLine {
  if (action.action === 'cancel') return { ...line, status: 'cancelled' }
  const { dueOn } = action
  const later = dueOn > line.dueOn
  if (dueOn === line.dueOn || later !== (action.action === 'postpone')) {
    const message = `is ${action.action === 'postpone' ? 'not after' : 'not before'} ${line.dueOn}`
    throw new MillraceError('request.invalid', `dueOn ${message}`, {
      errors: [{ field: 'dueOn', message }],
    })
  }
  return { ...line, dueOn }
}

/** States that may follow. */
const next: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  open: ['shipped', 'delivered', 'cancelled'],
  shipped: ['delivered'],
  delivered: [],
  cancelled: [],
}

/**
 * The order in its next state.
 *
 * @throws {MillraceError} `order.finished` when that state cannot follow
 */
export function moveTo(order: Order, status: OrderStatus): Order {
  if (!next[order.status].includes(status))
    throw finished(`Order ${order.id} is ${order.status}, and cannot become ${status}`)
  const version = order.version + 1
  const lines =
    status === 'cancelled'
      ? order.lines.map((one) => (one.status === status ? one : { ...one, status, version }))
      : order.lines
  return { ...order, status, lines, version }
}

function finished(message: string): MillraceError {
  return new MillraceError('order.finished', message)
}
