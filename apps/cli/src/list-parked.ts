import type { GroupPartition, ParkedKey } from '@millrace/processor'
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
    readonly topic?: string
    readonly group?: string
    readonly key?: string
    readonly held?: boolean
    readonly limit: number
  },
  terminal: Terminal,
): Promise<number> {
  const shown: ReturnType<typeof shownKey>[] = []
  const counts = { all: 0, held: 0 }
  for (const at of partitionsNamed(options)) {
    let after: string | undefined
    do {
      const page = await on.groups.parked(at, { limit: 100, ...(after === undefined ? {} : { after }) })
      for (const parked of page.items) {
        const isHeld = parked.note.why === 'operator'
        if ((options.key ?? parked.key) !== parked.key || (options.held && !isHeld)) continue
        counts.all += 1
        if (isHeld) counts.held += 1
        if (shown.length < options.limit) shown.push(shownKey(parked, at))
      }
      after = page.next
    } while (after !== undefined)
  }
  if (options.json) terminal.out.write(`${JSON.stringify(shown)}\n`)
  else if (shown.length > 0) {
    const head = 'TOPIC,GROUP,PARTITION,KEY,WAITS FOR,HEAD,BEHIND,TYPE,ATTEMPTS,NEXT,REASON,ANSWER'.split(',')
    const rows = shown.map((one) => [
      one.topic,
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
  const { all, held } = counts
  const left = all > shown.length ? `; the first ${shown.length} are listed, see --limit` : ''
  terminal.err.write(
    `${all} parked key${all === 1 ? '' : 's'}, ${held} of them held for an operator${left}.\n`,
  )
  return held === 0 ? exitCodes.ok : exitCodes.findings
}

function shownKey({ key, no, head, lined, note }: ParkedKey, { topic, group, partition }: GroupPartition) {
  const { why, type, attempts, reason, message, dueMs, sinceMs, fingerprint } = note
  return {
    topic: topic.name,
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
