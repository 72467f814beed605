import type { RepairEntry } from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import { partitionsNamed, type Place } from './group-partitions.ts'
import type { LogSystem } from './log-system.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** `millrace repairs`: the audit log of repairs: who decided what, when and why; latest first. */
export async function listRepairs(
  on: LogSystem,
  options: OutputOptions & Pick<Place, 'topic' | 'group'> & { readonly limit: number },
  terminal: Terminal,
): Promise<number> {
  const found: (RepairEntry & { topic: string; group: string; partition: number })[] = []
  for (const at of partitionsNamed(options)) {
    const { items } = await on.groups.repairEntries(at, { limit: options.limit })
    const { topic, group, partition } = at
    found.push(...items.map((entry) => ({ ...entry, topic: topic.name, group, partition })))
  }
  const shown = found.toSorted((a, b) => b.atMs - a.atMs).slice(0, options.limit)
  if (options.json) terminal.out.write(`${JSON.stringify(shown)}\n`)
  else if (shown.length > 0) {
    const rows = shown.map((one) => [
      new Date(one.atMs).toISOString(),
      one.by,
      one.kind,
      one.on,
      one.topic,
      one.group,
      one.effect ?? `${one.partition}/${one.seq}`,
      one.key,
      one.overtaken ? String(one.overtaken.count) : '-',
      one.reason,
    ])
    const head = 'TIME,ACTOR,WHAT,ON,TOPIC,GROUP,EVENT OR EFFECT,KEY,OVERTAKEN BY,REASON'.split(',')
    terminal.out.write(table([head, ...rows]))
  }
  return exitCodes.ok
}
