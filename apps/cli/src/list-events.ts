import { MillraceError, type Topic } from '@millrace/event'
import { formatPosition, type Recorded } from '@millrace/log'
import { exitCodes } from './exit-codes.ts'
import { knownTopics, type LogSystem, topicNamed } from './log-system.ts'
import { maskedData } from './masked-data.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

const pageEvents = 500

/**
 * `millrace events --key`: what happened to a key, in all topics unless one is named: what, when, who, caused by what;
 * the data masked.
 */
export async function listEvents(
  on: LogSystem,
  options: OutputOptions & { readonly topic?: string; readonly key: string },
  terminal: Terminal,
): Promise<number> {
  if (options.key === '') throw new MillraceError('request.invalid', 'The key is empty')
  const topics = options.topic === undefined ? knownTopics : [topicNamed(options.topic)]
  const rows: string[][] = []
  let found = 0
  for (const topic of topics)
    for await (const { recorded, version } of historyOf(on, topic, options.key)) {
      found += 1
      if (options.json) terminal.out.write(`${JSON.stringify(maskedEvent(recorded, version))}\n`)
      else rows.push(auditRow(recorded, version))
    }
  const head = 'TOPIC,VERSION,TIME,TYPE,ACTOR,CORRELATION,CAUSED BY,POSITION,DATA'.split(',')
  if (rows.length > 0) terminal.out.write(table([head, ...rows]))
  if (found === 0)
    terminal.err.write(
      `${options.topic === undefined ? 'No topic has' : `${options.topic} has no`} events of this key.\n`,
    )
  return found === 0 ? exitCodes.findings : exitCodes.ok
}

async function* historyOf({ log }: LogSystem, topic: Topic, key: string) {
  let version = 0
  for (;;) {
    const page = await log.readKey(topic, key, { afterVersion: version, limit: pageEvents })
    for (const recorded of page.events) yield { recorded, version: (version += 1) }
    if (page.events.length === 0 || version >= page.version) return
  }
}

function maskedEvent({ event, position }: Recorded, version: number) {
  const data = maskedData(event.data)
  return { topic: position.topic, version, position: formatPosition(position), ...event, data }
}

function auditRow({ event, position }: Recorded, version: number): string[] {
  return [
    position.topic,
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
