import { MillraceError } from '@millrace/event'
import {
  headerOf,
  httpApp,
  type HttpAppOptions,
  jsonBody,
  type KitContext,
  openApi,
  operation,
  timeLimit,
  tokenFault,
} from '@millrace/hono'
import { AnswerPause, answerPause } from './answer-pause.ts'
import { answeredOnce } from './answered-once.ts'
import {
  type CentralDatabase,
  lockOrder,
  moveStock,
  type OrderRow,
  orderColumns,
  orderOf,
  storeOrder,
} from './central-database.ts'
import { demandAll } from './demand-all.ts'
import { carryOutBody, moveBody, orderAnswer, placeBody, stockAnswer, supplierAnswer } from './messages.ts'
import { carryOut, moveTo, type Order } from './order.ts'
import { addManyRows, manyRowsPaths } from './many-rows.ts'
import { atMost, type CentralSnapshot } from './snapshot.ts'

/** What {@link createPurchasing} needs. */
export interface PurchasingOptions {
  readonly database: CentralDatabase
  /** Opens a consistent picture of everything, tied to a place in the change stream. */
  readonly snapshot: () => Promise<CentralSnapshot>
  readonly http: HttpAppOptions
  /** Bearer tokens of the services that may call. Empty: nobody may. */
  readonly tokens: readonly string[]
  /** Makes ids of orders. */
  readonly newId: () => string
  /** Today as YYYY-MM-DD. */
  readonly today: () => string
  /** From 0 up to 1: which answers wait. Default: chance. */
  readonly random?: () => number
}

/**
 * The service that places purchase orders and keeps the stock, in a database of its own. Every write is validated
 * and committed there in one transaction, and answered from it; it never writes to the log: the change stream does.
 * `PUT /admin/answer-pause` makes it slow to answer carry-outs.
 */
export function createPurchasing(options: PurchasingOptions) {
  const { database } = options
  const app = httpApp({ ...options.http, refuse: tokenFault({ tokens: options.tokens }) })
  const patience = timeLimit(15_000)
  const pause = new AnswerPause(options.random ?? Math.random)
  app.use(async (c, next) => (manyRowsPaths.includes(c.req.path) ? next() : patience(c, next)))

  /** One write in one transaction, once for its idempotency key. */
  const write = async <T extends object>(
    c: KitContext,
    body: unknown,
    act: Parameters<CentralDatabase['write']>[1] extends (queries: infer Q) => unknown
      ? (queries: Q) => Promise<T>
      : never,
  ): Promise<T> =>
    database.write(c.get('correlationId'), (queries) =>
      answeredOnce(queries, { key: idempotencyKey(c), route: `${c.req.method} ${c.req.path}`, body }, () =>
        act(queries),
      ),
    )
  const changed = (c: KitContext, status: 'shipped' | 'delivered' | 'cancelled') =>
    write(c, undefined, async (queries) => {
      const before = await lockOrder(queries, c.req.param('order') ?? '')
      demandVersion(before, versionOf(c))
      const order = moveTo(before, status)
      await storeOrder(queries, order)
      if (status === 'delivered')
        for (const { product, quantity } of before.lines.filter((line) => line.status === 'open'))
          await moveStock(queries, product, quantity, `delivery of ${order.id}`)
      return order
    })

  app.get(
    '/orders/:order',
    operation({
      summary: 'One order',
      answers: { 200: { description: 'The order', schema: orderAnswer } },
      problems: ['order.unknown'],
      secured: true,
    }),
    async (c) => {
      const order = await database.read(async (queries) => {
        const sql = `SELECT ${orderColumns} FROM purchase_order WHERE id = $1`
        const [row] = await queries.rows<OrderRow>(sql, [c.req.param('order')])
        return row && orderOf(row)
      })
      if (!order) throw new MillraceError('order.unknown', `There is no order ${c.req.param('order')}`)
      return answerOrder(c, order)
    },
  )
  app.post(
    '/orders',
    operation({
      summary: 'Places an order',
      answers: { 201: { description: 'The order', schema: orderAnswer } },
      problems: ['product.unknown', 'supplier.unknown', 'append.fingerprint'],
      idempotent: true,
      secured: true,
    }),
    jsonBody(placeBody),
    async (c) => {
      const { supplier, lines } = c.req.valid('json')
      const order = await write(c, c.req.valid('json'), async (queries): Promise<Order> => {
        await demandAll(queries, 'supplier', [supplier])
        await demandAll(
          queries,
          'product',
          lines.map(({ product }) => product),
        )
        const placed: Order = {
          id: options.newId(),
          supplier,
          status: 'open',
          orderedOn: options.today(),
          lines: lines.map((line, index) => ({ line: index + 1, ...line, status: 'open', version: 1 })),
          version: 1,
        }
        await queries.rows(
          'INSERT INTO purchase_order (id, supplier_id, status, ordered_on, lines) VALUES ($1, $2, $3, $4, $5)',
          [placed.id, supplier, placed.status, placed.orderedOn, JSON.stringify(placed.lines)],
        )
        // Others hear of the id alone, and look the rest up.
        await queries.rows('INSERT INTO outbox (type, key, data) VALUES ($1, $2, $3)', [
          'PurchaseOrderCreated',
          placed.id,
          JSON.stringify({ id: placed.id }),
        ])
        return placed
      })
      return answerOrder(c, order, 201)
    },
  )
  for (const [path, status] of [
    ['ship', 'shipped'],
    ['deliver', 'delivered'],
    ['cancel', 'cancelled'],
  ] as const)
    app.post(
      `/orders/:order/${path}`,
      operation({
        summary: `The order is ${status}${status === 'delivered' ? '; its open lines go into the stock' : ''}`,
        answers: { 200: { description: 'The order', schema: orderAnswer } },
        problems: ['order.unknown', 'order.finished', 'append.version', 'append.fingerprint'],
        idempotent: true,
        secured: true,
      }),
      async (c) => answerOrder(c, await changed(c, status)),
    )
  app.post(
    '/orders/:order/lines/:line/carry-out',
    operation({
      summary: "Carries a planner's decision about one line out",
      answers: { 200: { description: 'The order', schema: orderAnswer } },
      problems: [
        'order.unknown',
        'order.line-unknown',
        'order.finished',
        'append.version',
        'append.fingerprint',
      ],
      idempotent: true,
      secured: true,
    }),
    jsonBody(carryOutBody),
    async (c) => {
      const body = c.req.valid('json')
      const order = await write(c, body, async (queries) => {
        const before = await lockOrder(queries, c.req.param('order'))
        const after = carryOut(before, Number(c.req.param('line')), body, body.version)
        await storeOrder(queries, after)
        return after
      })
      await pause.pass(c.req.raw.signal)
      return answerOrder(c, order)
    },
  )
  app.put(
    '/admin/answer-pause',
    operation({
      summary: 'Makes answers to carry-outs slow, after their commit',
      answers: { 200: { description: 'From now on', schema: answerPause } },
      secured: true,
    }),
    jsonBody(answerPause),
    (c) => {
      pause.now = c.req.valid('json')
      return c.json(pause.now)
    },
  )
  app.post(
    '/products/:product/stock',
    operation({
      summary: 'Moves the stock of a product by a difference',
      answers: {
        200: {
          description: 'The stock now',
          schema: stockAnswer,
        },
      },
      problems: ['product.unknown', 'append.fingerprint'],
      idempotent: true,
      secured: true,
    }),
    jsonBody(moveBody),
    async (c) => {
      const { difference, reason } = c.req.valid('json')
      const product = c.req.param('product')
      const answer = await write(c, c.req.valid('json'), async (queries) => ({
        product,
        quantity: await moveStock(queries, product, difference, reason),
      }))
      return c.json(answer)
    },
  )
  app.get(
    '/suppliers/:supplier',
    operation({
      summary: 'One supplier',
      answers: { 200: { description: 'The supplier', schema: supplierAnswer } },
      problems: ['supplier.unknown'],
      secured: true,
    }),
    async (c) => {
      const sql = 'SELECT id, name, email FROM supplier WHERE id = $1'
      const [row] = await database.read((queries) => queries.rows(sql, [c.req.param('supplier')]))
      if (!row) throw new MillraceError('supplier.unknown')
      return c.json(row)
    },
  )
  addManyRows(app, { database, openPicture: atMost(3, options.snapshot), logger: options.http.logger })
  openApi(app, { title: 'Purchasing', version: '1', description: 'Owner of purchase orders and stock.' })
  return app
}

function answerOrder(c: KitContext, order: Order, status: 200 | 201 = 200): Response {
  c.header('ETag', `"${order.version}"`)
  return c.json(order, status)
}

function idempotencyKey(c: KitContext): string | undefined {
  const key = headerOf(c, 'idempotency-key')
  if (key === undefined || /^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw new MillraceError('request.invalid', 'Idempotency-Key is 1 to 200 visible ASCII characters')
}

/** Version in `If-Match`; undefined: whatever it is. */
function versionOf(c: KitContext): number | undefined {
  const text = headerOf(c, 'if-match')
  if (text === undefined || text === '*') return undefined
  const version = /^"(\d{1,15})"$/.exec(text)?.[1]
  if (version === undefined)
    throw new MillraceError('request.invalid', 'If-Match is an ETag as an answer gave it')
  return Number(version)
}

function demandVersion(order: Order, version: number | undefined): void {
  if (version !== undefined && version !== order.version)
    throw new MillraceError('append.version', `Order ${order.id} has version ${order.version} by now`, {
      details: { version: order.version, orderStatus: order.status },
    })
}
