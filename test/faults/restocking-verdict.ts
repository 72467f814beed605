import { partitionOfKey } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { auditPartition, type GroupStore } from '@millrace/processor'
import type { CentralDatabase } from '@millrace-app/purchasing'
import type { Suggestion, SuggestionStore } from '@millrace-app/restocking'
import { productKey, supply } from '@millrace-app/restocking'
import { compared } from '../../apps/cli/src/demo/restocking-seen.ts'
import { wantedSuggestions } from '../../apps/cli/src/demo/restocking-truth.ts'
import type { ProductState } from '../../apps/restocking/src/domain/product-state.ts'
import { groupsOfRun, openEvents } from './open-events.ts'
import type { RestockingFleet } from './restocking-fleet.ts'
import { foldSupply, readSaid, saidText } from './supply-truth.ts'

/** What there was to compare, and what is wrong. */
export interface RestockingVerdict {
  readonly products: number
  readonly supplyEvents: number
  readonly byType: Readonly<Record<string, number>>
  readonly verdicts: number
  readonly open: number
  readonly completed: number
  readonly mails: number
  /** Sent more than once, with the same key. */
  readonly mailsRepeated: number
  readonly faults: readonly string[]
}

/** What a run leaves behind. */
export interface RestockingEnd {
  readonly log: EventLog
  readonly groups: GroupStore
  readonly central: CentralDatabase
  readonly store: SuggestionStore
  readonly fleet: Pick<RestockingFleet, 'mails'>
  /** The order with a line for every product that was placed in the end: its verdicts tell the stock of now. */
  readonly rollCall: readonly string[]
  readonly today: string
}

/** Compares what restocking knows and shows with the central database, and with a fold of the log. */
export async function restockingVerdict(end: RestockingEnd): Promise<RestockingVerdict> {
  const { log, central, store, today } = end
  const stock = await stockOf(central)
  const truth = await foldSupply(log)
  const states = await statesOf(end.groups, [...stock.keys()].map(productKey))
  const faults: string[] = []
  const wrong = (what: string, all: readonly string[]) => {
    if (all.length > 0) faults.push(`${what}: ${all.length}, such as ${all.slice(0, 3).join('; ')}`)
  }
  wrong(
    'the stock of the processor is not that of the central database',
    [...stock].flatMap(([product, quantity]) => {
      const known = states.get(productKey(product))?.stock
      return known === quantity ? [] : [`${product} ${known} instead of ${quantity}`]
    }),
  )
  wrong(
    'the stock that the view shows is not that of the central database',
    await shownStockFaults(end, stock),
  )
  wrong(
    'a state is not the fold of the log',
    [...truth.products].flatMap(([key, wanted]) => {
      const is = states.get(key)
      return same(is, wanted) ? [] : [`${key} has ${is?.stock} instead of ${wanted.stock}`]
    }),
  )
  wrong('events of supplies are there twice', truth.twice > 0 ? [String(truth.twice)] : [])
  const said = await readSaid(log)
  wrong('what was said of a line is not what is to be said', saidFaults(truth.said, said))
  const rows = await verdictRows(central)
  wrong(
    'the view has another last word',
    [...new Set([...said.keys(), ...rows.keys()])].flatMap((line) => {
      const last = said.get(line)?.at(-1)
      return rows.get(line) === last ? [] : [`${line} ${rows.get(line)} instead of ${last}`]
    }),
  )
  const listed = await allSuggestions(store)
  const { differences } = compared(await wantedSuggestions(central, today), listed)
  wrong('suggestions are not those of the central database', differences)
  const clicks = await clickFaults(central, end.fleet)
  wrong('clicks', clicks.faults)
  wrong('ledgers', await ledgerFaults(end))
  const of = (status: string) => listed.filter((one) => one.status === status).length
  return {
    products: stock.size,
    supplyEvents: truth.events,
    byType: truth.byType,
    verdicts: rows.size,
    open: of('open'),
    completed: of('completed'),
    mails: end.fleet.mails.size,
    mailsRepeated: [...end.fleet.mails.values()].filter(({ count }) => count > 1).length,
    faults,
  }
}

async function stockOf(central: CentralDatabase): Promise<ReadonlyMap<string, number>> {
  const sql = 'SELECT product_id AS product, quantity::float8 AS quantity FROM stock'
  const rows = await central.read((queries) => queries.rows<{ product: string; quantity: number }>(sql))
  return new Map(rows.map(({ product, quantity }) => [product, quantity]))
}

async function statesOf(
  groups: GroupStore,
  keys: readonly string[],
): Promise<ReadonlyMap<string, ProductState>> {
  const states = new Map<string, ProductState>()
  for (let partition = 0; partition < supply.partitions; partition++) {
    const own = keys.filter((key) => partitionOfKey(supply, key) === partition)
    for (let from = 0; from < own.length; from += 500) {
      const at = { topic: supply, partition, group: 'restocking' }
      for (const { key, state } of await groups.loadStates(at, own.slice(from, from + 500)))
        if (state) states.set(key, JSON.parse(state.state) as ProductState)
    }
  }
  return states
}

function same(is: ProductState | undefined, wanted: ProductState): boolean {
  return JSON.stringify(sorted(is)) === JSON.stringify(sorted(wanted))
}

function sorted(state: ProductState | undefined): unknown {
  if (!state) return undefined
  return { ...state, lines: Object.entries(state.lines).toSorted(([a], [b]) => (a < b ? -1 : 1)) }
}

/** The verdicts on the lines of the roll call rest on the stock of now: one line for each product. */
async function shownStockFaults(
  { store, rollCall }: RestockingEnd,
  stock: ReadonlyMap<string, number>,
): Promise<readonly string[]> {
  const shown = new Map<string, number | undefined>()
  for (const order of rollCall)
    for (const { product, numbers } of await store.verdicts(order)) shown.set(product, numbers['stock'])
  return [...stock].flatMap(([product, quantity]) =>
    shown.get(product) === quantity ? [] : [`${product} ${shown.get(product)} instead of ${quantity}`],
  )
}

function saidFaults(
  wanted: ReadonlyMap<string, readonly string[]>,
  said: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return [...new Set([...wanted.keys(), ...said.keys()])].flatMap((line) => {
    const [right, real] = [wanted.get(line) ?? [], said.get(line) ?? []]
    const at = Array.from({ length: Math.max(right.length, real.length) }).findIndex(
      (_, place) => right[place] !== real[place],
    )
    return at < 0
      ? []
      : [`${line} at ${at}: "${real[at] ?? 'nothing'}" instead of "${right[at] ?? 'nothing'}"`]
  })
}

async function verdictRows(central: CentralDatabase): Promise<ReadonlyMap<string, string>> {
  const rows = await central.read((queries) =>
    queries.rows<{ line: string } & Parameters<typeof saidText>[0]>(
      `SELECT line_key AS line, kind, proposed_due_on::text AS "proposedDueOn", numbers FROM restocking_view.verdict`,
    ),
  )
  return new Map(rows.map((row) => [row.line, saidText(row)]))
}

async function allSuggestions(store: SuggestionStore): Promise<readonly Suggestion[]> {
  const all: Suggestion[] = []
  for (;;) {
    const last = all.at(-1)
    const page = await store.list({ limit: 2_000, ...(last ? { after: last.id } : {}) })
    all.push(...page)
    if (page.length < 2_000) return all
  }
}

/** Every click has come to its end; what was done was told to its supplier, under one key. */
async function clickFaults(
  central: CentralDatabase,
  { mails }: Pick<RestockingFleet, 'mails'>,
): Promise<{ readonly faults: readonly string[] }> {
  const [sagas, decisions] = await central.read(async (queries) => [
    await queries.rows<{ id: string; state: string }>('SELECT id, state FROM restocking.saga'),
    await queries.rows<{ id: string; status: string }>(
      'SELECT suggestion_id AS id, status FROM restocking.decision',
    ),
  ])
  const mailed = [...mails.values()].map(({ suggestion }) => suggestion)
  const done = decisions.filter(({ status }) => status === 'completed').map(({ id }) => id)
  const faults = [
    ...sagas
      .filter(({ state }) => state !== 'done' && state !== 'undone')
      .map(({ id, state }) => `${id} is ${state}`),
    ...decisions.filter(({ status }) => status !== 'completed').map(({ id, status }) => `${id} is ${status}`),
    ...done.filter((id) => !mailed.includes(id)).map((id) => `nobody was told of ${id}`),
    ...mailed.filter((id) => !done.includes(id)).map((id) => `somebody was told of ${id}`),
    ...mailed.filter((id, at) => mailed.indexOf(id) < at).map((id) => `${id} was told under two keys`),
  ]
  return { faults }
}

/** What `millrace audit` finds, what is still open, and what is dead. */
async function ledgerFaults({ log, groups }: RestockingEnd): Promise<readonly string[]> {
  const faults: string[] = []
  for (const [topic, group] of groupsOfRun)
    for (let partition = 0; partition < topic.partitions; partition++) {
      const at = { topic, group, partition }
      const found = await auditPartition({ store: groups, log }, at)
      faults.push(...found.map(({ what }) => `${group}/${partition}: ${what}`))
      const { counters } = await groups.audit(at)
      if (counters.dead > 0) faults.push(`${group}/${partition}: ${counters.dead} dead letters`)
    }
  const open = await openEvents(groups)
  if (open > 0) faults.push(`${open} events are open`)
  return faults
}
