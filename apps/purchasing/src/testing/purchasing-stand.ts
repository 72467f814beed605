import { expect } from 'vitest'
import { type CentralDatabase, openCentralDatabase } from '../central-database.ts'
import { generate } from '../generate.ts'
import type { Order } from '../order.ts'
import { createPurchasing } from '../purchasing.ts'
import { openSnapshot } from '../snapshot.ts'

/** The day on which everything is ordered. */
export const today = '2026-11-20'

/** An order that there is everything for. */
export const wanted = {
  supplier: 'S0001',
  lines: [{ product: 'P000001', quantity: 20, dueOn: '2026-12-24' }],
}

/** One request; by default a POST. */
export interface StandCall {
  readonly body?: object | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly signal?: AbortSignal
}

/** The service on a database of its own, with 40 products and 300 orders. */
export class PurchasingStand {
  readonly database: CentralDatabase
  readonly app: ReturnType<typeof createPurchasing>
  /** What the log was warned of. */
  readonly warned: string[] = []
  /** What chance answers. */
  luck = 0
  #ids = 0

  private constructor(url: string, database: CentralDatabase) {
    this.database = database
    const warn = (message: string): void => void this.warned.push(message)
    const logger = { debug: nothing, info: nothing, warn, error: nothing }
    this.app = createPurchasing({
      database,
      snapshot: () => openSnapshot(url, database.schema),
      http: { logger, context: { run: (_ids, act) => act(), current: () => undefined } },
      tokens: [token],
      newId: () => `N${++this.#ids}`,
      today: () => today,
      random: () => this.luck,
    })
  }

  /** @param url Of a server that nobody else uses. */
  static async open(url: string): Promise<PurchasingStand> {
    const database = await openCentralDatabase({ url, onError: nothing })
    await Promise.all([database.prepare(), database.prepare()])
    await database.write('seed', (queries) =>
      generate(queries, { suppliers: 4, products: 40, orders: 300, random: numbers(7), today }),
    )
    return new PurchasingStand(url, database)
  }

  async call(path: string, { body, headers, method = 'POST', signal }: StandCall = {}): Promise<Response> {
    return this.app.request(path, {
      method,
      ...(signal ? { signal } : {}),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  }

  get(path: string): Promise<Response> {
    return this.call(path, { method: 'GET' })
  }

  async place(): Promise<Order> {
    const answer = await this.call('/orders', { body: wanted })
    expect(answer.status).toBe(201)
    return (await answer.json()) as Order
  }

  close(): Promise<void> {
    return this.database.close()
  }
}

const token = 'a-service'

function nothing(): void {}

/** Random numbers of a seed. */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
