import type { DeadFilter } from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import { partitionsNamed, type Place } from './group-partitions.ts'
import { shownItem } from './list-dead.ts'
import type { LogSystem } from './log-system.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** `millrace dead classes`: how many there are of each class of reasons, with one of them. Exit code 1 when there are any. */
export async function listClasses(
  on: LogSystem,
  options: OutputOptions & Pick<Place, 'topic' | 'group'>,
  terminal: Terminal,
): Promise<number> {
  const classes = new Map<
    string,
    { topic: string; group: string; class: string; count: number; reason: string; example: string }
  >()
  let late = 0
  for (const at of partitionsNamed(options)) {
    const { group, topic } = at
    const counts = await on.groups.deadCounts(at)
    late += counts.late
    for (const { name, count } of counts.classes) {
      const place = `${topic.name} ${group} ${name}`
      const known = classes.get(place)
      if (known) known.count += count
      else {
        const filter: DeadFilter = { reasonClass: name }
        const [item] = (await on.groups.deadItems(at, { filter, limit: 1 })).items
        const shown = item && shownItem(item, at)
        const [reason, example] = [shown?.reason ?? '', shown?.message ?? '']
        classes.set(place, { topic: topic.name, group, class: name, count, reason, example })
      }
    }
  }
  const found = [...classes.values()].toSorted((a, b) => b.count - a.count)
  if (options.json) terminal.out.write(`${JSON.stringify({ classes: found, late })}\n`)
  else if (found.length > 0) {
    const rows = found.map((one) => [
      one.topic,
      one.group,
      one.class,
      String(one.count),
      one.reason,
      one.example,
    ])
    terminal.out.write(table([['TOPIC', 'GROUP', 'CLASS', 'COUNT', 'REASON', 'FOR EXAMPLE'], ...rows]))
  }
  if (late > 0)
    terminal.err.write(
      `${late === 1 ? '1 letter waits for its' : `${late} letters wait for their`} late run.\n`,
    )
  return found.length === 0 ? exitCodes.ok : exitCodes.findings
}
