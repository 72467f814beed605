import { MillraceError } from '@millrace/event'
import { formatPosition, type Recorded } from '@millrace/log'
import { exitCodes } from './exit-codes.ts'
import { type LogSystem, topicNamed } from './log-system.ts'
import { maskedData } from './masked-data.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

const pageEvents = 500

/** `millrace events --key`: what happened to a key: what, when, who, caused by what; the data masked. */
export async function listEvents(
  on: LogSystem,
  options: OutputOptions & { readonly topic: string; readonly key: string },
  terminal: Terminal,
): Promise<number> {
  const topic = topicNamed(options.topic)
  if (options.key === '') throw new MillraceError('request.invalid', 'The key is empty')
  let version = 0
  const rows: string[][] = []
  for (;;) {
    const page = await on.log.readKey(topic, options.key, { afterVersion: version, limit: pageEvents })
    for (const recorded of page.events) {
      version += 1
      if (options.json) terminal.out.write(`${JSON.stringify(maskedEvent(recorded, version))}\n`)
      else rows.push(auditRow(recorded, version))
    }
    if (page.events.length === 0 || version >= page.version) break
  }
  if (rows.length > 0)
    terminal.out.write(
      table([['VERSION', 'TIME', 'TYPE', 'ACTOR', 'CORRELATION', 'CAUSED BY', 'POSITION', 'DATA'], ...rows]),
    )
  if (version === 0) terminal.err.write(`${topic.name} has no events of this key.\n`)
  return version === 0 ? exitCodes.findings : exitCodes.ok
}

function maskedEvent({ event, position }: Recorded, version: number) {
  return { version, position: formatPosition(position), ...event, data: maskedData(event.data) }
}

function auditRow({ event, position }: Recorded, version: number): string[] {
  return [
    String(version),
    event.time,
    event.type,
    event.actor ?? '-',
    event.correlationid,
    event.causationid ?? '-',
    formatPosition(position),
    JSON.stringify(maskedData(event.data)),
  ]
}
