import { type Clock, type Event, MillraceError, newEvent, partitionOfKey, systemClock } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { orderKey, productKey, supply } from './supply-topic.ts'

/** How far an initialiser is. */
export interface InitialiseProgress {
  readonly rows: number
  /** Undefined until the end is known. */
  readonly of?: number
}

/** Options of {@link initialise}. */
export interface InitialiseOptions {
  /** Takes the central database's snapshot; answers its lines: the watermark, rows, the end. */
  readonly snapshot: () => Promise<AsyncIterable<string>>
  readonly log: Pick<EventLog, 'appendChannel' | 'tips'>
  readonly correlationId: string
  readonly clock?: Clock
  readonly onProgress?: (progress: InitialiseProgress) => void
  /** Nobody has asked for it: another run that was begun within the hour goes on, and this one ends. Default: false. */
  readonly yields?: boolean
}

const channel = 'restocking-initialiser'
const eventsAtOnce = 500

type SnapshotLine = Readonly<Record<'watermark' | 'product' | 'stock' | 'order' | 'end', unknown>>

/**
 * Fills a system from a snapshot of the central database, or brings one up to date that runs: products as they are, the
 * stock as it was at the snapshot's place in the change stream, orders of which a newer version is known are left alone,
 * and so are products that were published since the snapshot was begun.
 * It may run any number of times; a second run that begins while one is under way ends the first one.
 *
 * @returns how many rows there were
 * @throws {MillraceError} `service.failed` when the snapshot broke off; `append.channel-stale` when another run began
 */
export async function initialise(options: InitialiseOptions): Promise<number> {
  const { snapshot, log, correlationId, clock = systemClock, onProgress, yields = false } = options
  // The greatest one goes on.
  const incarnation = clock.now() - (yields ? 3_600_000 : 0)
  const waiting = new Map<number, Event[]>()
  const last = new Map<number, number>()
  let [rows, watermark, end] = [0, '', -1]
  const flush = async (partition: number): Promise<void> => {
    const events = waiting.get(partition) ?? []
    waiting.delete(partition)
    if (events.length === 0) return
    const first = (last.get(partition) ?? 0) + 1
    const result = await log.appendChannel(supply, { partition, channel, incarnation, first, events })
    if (result.status === 'refused') throw result.error
    last.set(partition, first + events.length - 1)
  }
  // Before the snapshot is taken: what is behind it may not be in the snapshot.
  const tips = new Map((await log.tips(supply)).map(({ partition, seq }) => [partition, seq]))
  for await (const text of await snapshot()) {
    const line = JSON.parse(text) as SnapshotLine
    if (typeof line.watermark === 'string') watermark = placeOf(line.watermark)
    else if (typeof line.end === 'number') end = line.end
    else {
      const { type, key, data } = factOf(line, watermark, (of) => tips.get(partitionOfKey(supply, of)) ?? 0)
      const event = newEvent(
        supply,
        { type, key, data, correlationId, source: '/millrace/restocking/initialiser' },
        clock,
      )
      const partition = partitionOfKey(supply, key)
      const events = waiting.get(partition) ?? []
      events.push(event)
      waiting.set(partition, events)
      rows++
      if (events.length >= eventsAtOnce) await flush(partition)
      if (rows % 1_000 === 0) onProgress?.({ rows })
    }
  }
  for (const partition of [...waiting.keys()]) await flush(partition)
  if (end !== rows)
    throw new MillraceError('service.failed', `The snapshot broke off after ${rows} rows; begin again`)
  onProgress?.({ rows, of: end })
  return rows
}

interface Fact {
  readonly type: string
  readonly key: string
  readonly data: unknown
}

function factOf(
  { product, stock, order }: SnapshotLine,
  watermark: string,
  begunAt: (key: string) => number,
): Fact {
  if (isObject(product)) {
    const { id, ...data } = product
    const key = productKey(String(id))
    return { type: 'ProductInformation', key, data: { ...data, begunAt: begunAt(key) } }
  }
  if (isObject(stock)) {
    const data = { quantity: stock['quantity'], lsn: watermark }
    return { type: 'StockCounted', key: productKey(String(stock['product'])), data }
  }
  if (isObject(order))
    return { type: 'PurchaseOrderSnapshot', key: orderKey(String(order['id'])), data: order }
  throw new MillraceError('service.failed', 'The snapshot has a line that nobody knows')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** A place as PostgreSQL writes it (`16/B374D848`), as change streams write it. */
function placeOf(lsn: string): string {
  const [high = '0', low = '0'] = lsn.split('/')
  return `${high.padStart(8, '0')}${low.padStart(8, '0')}`.toLowerCase()
}

/** The lines of a body of JSON lines. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of body) {
    const parts = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) if (part !== '') yield part
  }
  if (rest !== '') yield rest
}
