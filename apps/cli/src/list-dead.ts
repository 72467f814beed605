import { type DeadItem, type GroupPartition } from '@millrace/processor'
import { formatPosition } from '@millrace/log'
import { maskText } from '@millrace/service'
import { filterOf, type FilterOptions } from './dead-filters.ts'
import { exitCodes } from './exit-codes.ts'
import { partitionsNamed } from './group-partitions.ts'
import type { LogSystem } from './log-system.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/**
 * `millrace dead ls`: what needs an operator, of all topics unless one is named; by the partition, oldest first. Exit
 * code 1 when there is any.
 */
export async function listDead(
  on: LogSystem,
  options: OutputOptions & FilterOptions & { readonly limit: number },
  terminal: Terminal,
): Promise<number> {
  const found: ReturnType<typeof shownItem>[] = []
  let more = false
  for (const at of partitionsNamed(options)) {
    if (more) break
    for await (const item of itemsOf(on, at, options)) {
      more = found.length >= options.limit
      if (more) break
      found.push(shownItem(item, at))
    }
  }
  if (options.json) terminal.out.write(`${JSON.stringify(found)}\n`)
  else if (found.length > 0) {
    const head = 'TOPIC,GROUP,POSITION,STATUS,GIVEN UP,KEY,TYPE,REASON,CLASS,ATTEMPTS,BEHIND,ANSWER'.split(
      ',',
    )
    const rows = found.map((one) => [
      one.topic,
      one.group,
      one.position,
      one.status,
      new Date(one.atMs).toISOString(),
      one.key,
      one.type,
      one.reason,
      one.class,
      String(one.attempts),
      String(one.behind),
      one.message,
    ])
    terminal.out.write(table([head, ...rows]))
  }
  const [letters, held] = (['dead', 'held'] as const).map(
    (status) => found.filter((one) => one.status === status).length,
  )
  const s = letters === 1 ? '' : 's'
  terminal.err.write(
    `${letters} dead letter${s}${held ? `, ${held} held key${held === 1 ? '' : 's'}` : ''}${more ? '; there are more, see --limit' : ''}.\n`,
  )
  return found.length === 0 ? exitCodes.ok : exitCodes.findings
}

async function* itemsOf(
  { groups }: LogSystem,
  at: GroupPartition,
  options: FilterOptions & { readonly limit: number },
): AsyncGenerator<DeadItem> {
  const filter = filterOf(options, Date.now())
  const limit = Math.min(options.limit + 1, 100)
  let after: string | undefined
  do {
    const page = await groups.deadItems(at, { filter, limit, ...(after === undefined ? {} : { after }) })
    yield* page.items
    after = page.next
  } while (after !== undefined)
}

/** An item as lists show it: addresses masked, without stack and attempts. */
export function shownItem(item: DeadItem, { topic, group, partition }: GroupPartition) {
  const { status, seq, atMs, key, type, letter, parked, reasonClass } = item
  const said = letter ?? parked?.note
  const id = letter?.id ?? parked?.note.id ?? ''
  const answer = typeof said?.details?.['answer'] === 'string' ? `: ${said.details['answer']}` : ''
  return {
    topic: topic.name,
    group,
    position: formatPosition({ topic: topic.name, partition, id, seq }),
    status,
    seq,
    key,
    type,
    eventId: said?.eventId ?? '',
    reason: said?.reason ?? '',
    class: reasonClass,
    message: maskText(`${said?.message ?? ''}${answer}`),
    attempts: said?.attempts ?? 0,
    /** Events that wait behind it. */
    behind: parked?.lined ?? 0,
    atMs,
  }
}
