import { freshId, newEvent } from '@millrace/event'
import { serviceClient } from '@millrace/hono'
import { appendOne, createMemoryLog } from '@millrace/log'
import { openPool } from '@millrace/postgres'
import { createMemoryGroupStore } from '@millrace/processor'
import { createPurchasing, openCentralDatabase, openSnapshot } from '@millrace-app/purchasing'
import {
  createRestocking,
  openSuggestionStore,
  openVerdictView,
  type OrderDocument,
  orderKey,
  productKey,
  purchasingClient,
  type Restocking,
  type RestockingOptions,
  type Suggestion,
  type SuggestionFacts,
  type Supplier,
  supply,
} from '@millrace-app/restocking'
import { openEvents } from '../faults/open-events.ts'

/** What the service is called with. */
export const serviceToken = 'a-service'
const token = serviceToken
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
/** A frame for HTTP that says nothing. */
export const quietHttp = {
  logger: silent,
  context: { run: <T>(_ids: unknown, act: () => T): T => act(), current: () => undefined },
}
let scenes = 0

/** Where events and groups are kept. */
export type Backbone = Pick<RestockingOptions, 'log' | 'groups'>

function inMemory(): Backbone {
  const log = createMemoryLog()
  return { log, groups: createMemoryGroupStore({ log }) }
}

/** Restocking with a real database, a real authority of orders, a log in memory unless another is given, and mails that are only counted. */
export async function openScene(url: string, backbone: Backbone = inMemory()) {
  const name = `scene_${process.pid}_${++scenes}`
  const admin = openPool(url, { onError: () => undefined })
  await admin.query(`CREATE DATABASE ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  const database = await openCentralDatabase({ url: own.href, onError: () => undefined })
  await database.prepare()
  await database.write('seed', async (queries) => {
    await queries.rows(`INSERT INTO supplier VALUES ('S1', 'Hinges & Co', 'orders@hinges.example')`)
    await queries.rows(
      `INSERT INTO product VALUES ('P1', 'Hinge', 'S1', 10, 70), ('P2', 'Bolt', 'S1', 10, 70)`,
    )
    await queries.rows(`INSERT INTO stock VALUES ('P1', 0), ('P2', 0)`)
  })
  let orders = 0
  const purchasing = createPurchasing({
    database,
    snapshot: () => openSnapshot(own.href, database.schema),
    http: quietHttp,
    tokens: [token],
    newId: () => `O${++orders}`,
    today: () => new Date().toISOString().slice(0, 10),
  })
  const { log, groups } = backbone
  const schemas = { own: 'restocking', view: 'restocking_view' }
  const connection = { url: own.href, schemas, onError: () => undefined }
  const mails: { to: string; id: string; key: string; correlationId: string }[] = []
  const troubles: unknown[] = []
  const fetch = (request: Request) => purchasing.fetch(request)
  const client = serviceClient({ name: 'purchasing', fetch, token, timeoutMs: 60_000 })
  const desk = purchasingClient(client)
  const hooks = {
    /** Runs when the order's owner has answered a carry-out, before restocking learns of it. */
    answered: (_: SuggestionFacts, __: string): Promise<void> => Promise.resolve(),
    /** Runs instead of the way to the supplier's mailbox. */
    mail: (_: Supplier, __: SuggestionFacts): Promise<void> => Promise.resolve(),
  }
  const instances: { service: Restocking; close(): Promise<void> }[] = []

  /** Starts another instance of the service. */
  const startInstance = async (options: Partial<RestockingOptions> = {}): Promise<Restocking> => {
    const store = await openSuggestionStore(connection)
    const view = await openVerdictView(connection)
    const service = createRestocking({
      log,
      groups,
      view,
      store,
      purchasing: {
        order: (id, signal) => desk.order(id, signal),
        supplier: (id, call) => desk.supplier(id, call),
        carryOut: async (suggestion, call) => {
          await desk.carryOut(suggestion, call)
          await hooks.answered(suggestion, call.correlationId)
        },
      },
      mail: {
        send: async ({ email, name: supplier }, suggestion, { idempotencyKey, correlationId }) => {
          await hooks.mail({ email, name: supplier }, suggestion)
          mails.push({ to: email, id: suggestion.id, key: idempotencyKey, correlationId })
        },
      },
      snapshot: async (signal) => {
        const { body } = await client.fetch('/snapshot', { signal, timeoutMs: 60_000 })
        if (!body) throw new Error('The snapshot has no body')
        return body
      },
      http: quietHttp,
      tokens: [token],
      // What becomes of a click is told, however long a process stands still.
      clickWaitMs: 12_000,
      onTrouble: (error) => troubles.push(error),
      ...options,
    })
    await service.start()
    instances.push({
      service,
      close: async () => {
        await service.stop()
        await Promise.all([store.close(), view.close()])
      },
    })
    return service
  }
  const call = async (path: string, body?: object, headers: Record<string, string> = {}, method = 'POST') => {
    const [first] = instances
    if (!first) throw new Error('No instance runs')
    const answer = await first.service.app.request(path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const ofPurchasing = async (path: string, body?: object, headers: Record<string, string> = {}) => {
    const { body: answer } = await client.json(path, {
      method: 'POST',
      headers,
      ...(body ? { body } : {}),
    })
    return answer as OrderDocument
  }
  const tell = async (
    type: keyof typeof supply.types,
    key: string,
    data: unknown,
    correlationId = freshId(),
  ): Promise<void> => {
    await appendOne(log, supply, { events: [newEvent(supply, { type, key, data, correlationId })] })
  }
  const product = (id = 'P1'): Promise<void> =>
    tell('ProductInformation', productKey(id), {
      name: id === 'P1' ? 'Hinge' : 'Bolt',
      supplier: 'S1',
      dailyForecast: 10,
      reorderLevel: 70,
    })
  const stock = (difference: number, id = 'P1'): Promise<void> =>
    tell('StockLevelChanged', productKey(id), { difference })
  const place = (
    lines: readonly object[] = [{ product: 'P1', quantity: 20, dueOn: inDays(30) }],
  ): Promise<OrderDocument> => ofPurchasing('/orders', { supplier: 'S1', lines })
  /** The suggestion with this id as soon as it fits. */
  const until = (id: string, fits: (suggestion: Suggestion) => boolean): Promise<Suggestion> =>
    eventually(async () => {
      const { body } = await call(`/suggestions/${id}`, undefined, {}, 'GET')
      return isSuggestion(body) && fits(body) ? body : undefined
    })
  /** An order that is to be brought forward, because there is no stock; answers its suggestion. */
  const urgent = async (): Promise<string> => {
    const order = await place()
    await product()
    await stock(5)
    await tell('PurchaseOrderCreated', orderKey(order.id), { id: order.id })
    const id = `${order.id}.1.v1.bring-forward`
    await until(id, ({ status }) => status === 'open')
    return id
  }
  return {
    log,
    groups,
    ...{ product, stock, place, until, urgent },
    carryOut: (id: string, headers: Record<string, string> = {}) =>
      call(`/suggestions/${id}/carry-out`, undefined, headers),
    mails,
    troubles,
    hooks,
    url: own.href,
    schemas,
    database,
    startInstance,
    call,
    get: (path: string) => call(path, undefined, {}, 'GET'),
    ofPurchasing,
    /** The order as its owner has it. */
    ofPurchasingGet: async (id: string) => (await client.json(`/orders/${id}`)).body as OrderDocument,
    /** Who has seen first that the order was changed. */
    completedBy: async (id: string) => {
      const sql = 'SELECT completed_by FROM restocking.decision WHERE suggestion_id = $1'
      const [row] = await database.read((queries) => queries.rows<{ completed_by: string }>(sql, [id]))
      return row?.completed_by
    },
    first: (): Restocking => {
      const [first] = instances
      if (!first) throw new Error('No instance runs')
      return first.service
    },
    tell,
    /** What a change stream tells of an order. */
    echo: (order: OrderDocument, correlationId?: string) =>
      tell('PurchaseOrderChanged', orderKey(order.id), order, correlationId),
    /** So many open suggestions, as if they had been reviewed. */
    manyVerdicts: async (count: number): Promise<void> => {
      const sql = `
        INSERT INTO restocking_view.verdict
        SELECT id || '/1', id, 1, 'P1', CASE WHEN at = $1 THEN 'Z-last' ELSE 'Hinge' END, 'S1', 10, '2027-01-01', 1,
          'cancel', NULL, '{}', 'The order is old.', id || '.1.v1.cancel', 'c', 'e', now(), 0, 0
        FROM (SELECT at, CASE WHEN at = $1 THEN 'Z' ELSE 'A' || lpad(at::text, 5, '0') END AS id
          FROM generate_series(1, $1::integer) AS at) AS made`
      await database.read((queries) => queries.rows(sql, [count]))
    },
    /** Resolves when the groups have done all that there is. */
    settled: async (): Promise<void> => {
      // What one partition has done may be new to another that was asked before.
      for (let quiet = 0; quiet < 3; await new Promise((resolve) => setTimeout(resolve, 10)))
        quiet = (await openEvents(groups)) === 0 ? quiet + 1 : 0
    },
    stopInstances: async () => {
      for (const { close } of instances.splice(0)) await close()
    },
    close: async () => {
      for (const { close } of instances.splice(0)) await close()
      await database.close()
      await admin.end()
    },
  }
}

function isSuggestion(body: object): body is Suggestion {
  return 'id' in body && 'status' in body && 'kind' in body
}

/** The order of a suggestion. */
export const orderOf = (id: string): string => id.split('.')[0] ?? ''

export type Scene = Awaited<ReturnType<typeof openScene>>

/** A date so many days from now, as YYYY-MM-DD. */
export function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
}

/** What `find` answers when it has found something. A test's own limit ends it. */
export async function eventually<T>(find: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await find()
    if (found !== undefined) return found
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
  }
}
