import type { Event, Topic } from '@millrace/event'
import { beginning, type EventLog, type Recorded } from '@millrace/log'
import { suggestions, supply } from '@millrace-app/restocking/topics'
import {
  lineName,
  lineSeen,
  productKnown,
  type ProductState,
  reviewAll,
  type Step,
  stockCounted,
  stockMoved,
  unknownProduct,
} from '../../apps/restocking/src/domain/product-state.ts'
import { defaultThresholds } from '../../apps/restocking/src/domain/review.ts'

/** What the topic of supplies comes to, by the domain's functions alone: no group, no state that is stored, no script. */
export interface SupplyTruth {
  readonly events: number
  /** Ids that are there more than once. */
  readonly twice: number
  readonly byType: Readonly<Record<string, number>>
  /** By key. */
  readonly products: ReadonlyMap<string, ProductState>
  /** By line, what is to be said of it, one after the other. */
  readonly said: ReadonlyMap<string, readonly string[]>
}

/** Folds the topic. */
export async function foldSupply(log: Pick<EventLog, 'read'>): Promise<SupplyTruth> {
  const products = new Map<string, ProductState>()
  const said = new Map<string, string[]>()
  const byType: Record<string, number> = {}
  const ids = new Set<string>()
  let events = 0
  for await (const { event, position } of allOf(log, supply)) {
    events += 1
    ids.add(event.id)
    byType[event.type] = (byType[event.type] ?? 0) + 1
    if (!event.subject.startsWith('product/')) continue
    const { state, reviews } = stepOf(products.get(event.subject) ?? unknownProduct, event, position.seq)
    products.set(event.subject, state)
    for (const { line, verdict } of reviews) {
      const name = lineName(line)
      const lines = said.get(name) ?? []
      if (lines.length === 0) said.set(name, lines)
      lines.push(saidText(verdict === 'finished' ? { kind: verdict, numbers: {} } : verdict))
    }
  }
  return { events, twice: events - ids.size, byType, products, said }
}

/** What was really said of each line, one after the other. */
export async function readSaid(log: Pick<EventLog, 'read'>): Promise<ReadonlyMap<string, readonly string[]>> {
  const said = new Map<string, string[]>()
  for await (const { event } of allOf(log, suggestions)) {
    const lines = said.get(event.subject) ?? []
    if (lines.length === 0) said.set(event.subject, lines)
    lines.push(saidText(event.data as Parameters<typeof saidText>[0]))
  }
  return said
}

/** A verdict as a text that can be compared. */
export function saidText(verdict: {
  readonly kind: string
  readonly proposedDueOn?: string | null
  readonly numbers: Readonly<Record<string, number>>
}): string {
  const numbers = Object.entries(verdict.numbers).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [verdict.kind, verdict.proposedDueOn ?? '-', ...numbers.map((one) => one.join('='))].join(' ')
}

type Data<T extends keyof typeof supply.types> = ReturnType<(typeof supply.types)[T]['parse']>

function stepOf(before: ProductState, { type, time, data }: Event, seq: number): Step {
  const today = time.slice(0, 10)
  const judged = (after: ProductState): Step => reviewAll(after, today, defaultThresholds)
  switch (type) {
    case 'ProductInformation':
      return judged(productKnown(before, data as Data<'ProductInformation'>, seq))
    case 'StockLevelChanged': {
      const { difference, lsn } = data as Data<'StockLevelChanged'>
      return judged(stockMoved(before, difference, lsn))
    }
    case 'StockCounted': {
      const { quantity, lsn } = data as Data<'StockCounted'>
      return judged(stockCounted(before, quantity, lsn))
    }
    case 'OrderLineSeen':
      return lineSeen(before, data as Data<'OrderLineSeen'>, today, defaultThresholds)
    default:
      return judged(before)
  }
}

async function* allOf(log: Pick<EventLog, 'read'>, topic: Topic): AsyncGenerator<Recorded> {
  for (let partition = 0; partition < topic.partitions; partition++)
    for (let cursor = beginning; ;) {
      const page = (await log.read(topic, new Map([[partition, cursor]]), { limit: 1_000 })).get(partition)
      const last = page?.at(-1)
      if (!page || !last) break
      yield* page
      cursor = last.position.id
    }
}
