import type { ParkedKey } from '@millrace/processor'
import { maskText } from '@millrace/service'
import { exitCodes } from './exit-codes.ts'
import { partitionsNamed } from './group-partitions.ts'
import type { LogSystem } from './log-system.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** `millrace parked ls`: keys whose head waits for a retry or for an operator. Exit code 1 when any is held. */
export async function listParked(
  on: LogSystem,
  options: OutputOptions & {
    readonly topic: string
    readonly group?: string
    readonly key?: string
    readonly held?: boolean
    readonly limit: number
  },
  terminal: Terminal,
): Promise<number> {
  const found: ReturnType<typeof shownKey>[] = []
  for (const at of partitionsNamed(options)) {
    let after: string | undefined
    do {
      const page = await on.groups.parked(at, { limit: 100, ...(after === undefined ? {} : { after }) })
      for (const parked of page.items)
        if ((options.key ?? parked.key) === parked.key && (!options.held || parked.note.why === 'operator'))
          found.push(shownKey(parked, at.group, at.partition))
      after = page.next
    } while (after !== undefined && found.length < options.limit)
  }
  const shown = found.slice(0, options.limit)
  if (options.json) terminal.out.write(`${JSON.stringify(shown)}\n`)
  else if (shown.length > 0) {
    const head = 'GROUP,PARTITION,KEY,WAITS FOR,HEAD,BEHIND,TYPE,ATTEMPTS,NEXT,REASON,ANSWER'.split(',')
    const rows = shown.map((one) => [
      one.group,
      String(one.partition),
      one.key,
      one.why,
      String(one.head),
      String(one.lined),
      one.type,
      String(one.attempts),
      one.dueMs === null ? '-' : new Date(one.dueMs).toISOString(),
      one.reason,
      one.message,
    ])
    terminal.out.write(table([head, ...rows]))
  }
  const held = found.filter(({ why }) => why === 'operator').length
  terminal.err.write(`${found.length} parked keys, ${held} of them held for an operator.\n`)
  return held === 0 ? exitCodes.ok : exitCodes.findings
}

function shownKey({ key, no, head, lined, note }: ParkedKey, group: string, partition: number) {
  const { why, type, attempts, reason, message, dueMs, sinceMs, fingerprint } = note
  return {
    group,
    partition,
    key,
    why,
    parkNo: no,
    head,
    lined,
    type,
    attempts,
    dueMs: dueMs ?? null,
    sinceMs,
    reason,
    class: fingerprint,
    message: maskText(message),
  }
}
