import { MillraceError, type Topic } from '@millrace/event'
import { formatPosition, type Recorded, type Tip } from '@millrace/log'
import type { DeadLetter, GroupState } from '@millrace/processor'
import { maskText } from '@millrace/service'
import { exitCodes } from './exit-codes.ts'
import { groupsNamed, type KnownGroup, knownTopics, type LogSystem, topicNamed } from './log-system.ts'
import { maskedData } from './masked-data.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

const pageEvents = 500
const pageLetters = 100

/** `millrace topics`: the partitions of every topic and how far they go. */
export async function listTopics(on: LogSystem, options: OutputOptions, terminal: Terminal): Promise<number> {
  const topics = await Promise.all(
    knownTopics.map(async ({ name, placement, partitions }, at) => ({
      topic: name,
      placement,
      partitions,
      tips: await on.log.tips(knownTopics[at] ?? topicNamed(name)),
    })),
  )
  if (options.json) terminal.out.write(`${JSON.stringify(topics)}\n`)
  else {
    const rows = topics.flatMap(({ topic, placement, tips }) =>
      tips.map((tip) => [
        topic,
        placement,
        String(tip.partition),
        String(tip.seq),
        timeOf(tip),
        tipText(topic, tip),
      ]),
    )
    terminal.out.write(
      table([['TOPIC', 'PLACEMENT', 'PARTITION', 'EVENTS', 'LAST', 'POSITION OF THE LAST'], ...rows]),
    )
  }
  return exitCodes.ok
}

/** `millrace groups`: where each group stands. Exit code 1 where events wait and nobody has the lease. */
export async function listGroups(
  on: LogSystem,
  options: OutputOptions & { readonly topic?: string; readonly group?: string },
  terminal: Terminal,
): Promise<number> {
  const found = (
    await Promise.all(groupsNamed(options.topic, options.group).map((known) => standingsOf(on, known)))
  ).flat()
  if (options.json) terminal.out.write(`${JSON.stringify(found)}\n`)
  else {
    const rows = found.map((one) => [
      one.topic,
      one.group,
      String(one.partition),
      String(one.position),
      String(one.tip),
      String(one.lag),
      one.member ?? '-',
      one.leaseMs > 0 ? `${Math.ceil(one.leaseMs / 1_000)} s` : '-',
      String(one.deadLetters),
    ])
    terminal.out.write(
      table([['TOPIC', 'GROUP', 'PARTITION', 'SETTLED', 'TIP', 'LAG', 'MEMBER', 'LEASE', 'DEAD'], ...rows]),
    )
  }
  const abandoned = found.filter(({ lag, leaseMs }) => lag > 0 && leaseMs <= 0)
  if (abandoned.length === 0) return exitCodes.ok
  terminal.err.write(`In ${abandoned.length} partitions events wait and no member holds the lease.\n`)
  return exitCodes.findings
}

/** Where a group stands in one partition. */
interface Standing {
  readonly topic: string
  readonly group: string
  readonly partition: number
  /** Sequence number up to which everything is settled. */
  readonly position: number
  readonly tip: number
  /** Events that are not settled. */
  readonly lag: number
  /** Who holds the lease, or held it last. */
  readonly member: string | null
  /** What is left of the lease, in ms; 0 when nobody holds it. */
  readonly leaseMs: number
  readonly deadLetters: number
}

async function standingsOf(
  { log, groups }: LogSystem,
  { group, topic }: KnownGroup,
): Promise<readonly Standing[]> {
  const tips = await log.tips(topic)
  return Promise.all(
    tips.map(async (tip) =>
      standing(topic, group, tip, await groups.look({ topic, partition: tip.partition, group })),
    ),
  )
}

function standing(topic: Topic, group: string, { partition, seq }: Tip, state: GroupState): Standing {
  const { position, ahead, member, untilMs, deadLetters } = state
  return {
    topic: topic.name,
    group,
    partition,
    position: position.seq,
    tip: seq,
    // The group may have moved since the tip was read.
    lag: Math.max(0, seq - position.seq - ahead.length),
    member: member ?? null,
    leaseMs: Math.max(0, untilMs - Date.now()),
    deadLetters,
  }
}

/** `millrace dead ls`: what could not be processed, oldest first. Exit code 1 when there is any. */
export async function listDead(
  on: LogSystem,
  options: OutputOptions & { readonly topic: string; readonly group?: string; readonly limit: number },
  terminal: Terminal,
): Promise<number> {
  const found: (Omit<DeadLetter, 'stack' | 'id'> & { group: string; position: string })[] = []
  let more = false
  for (const known of groupsNamed(options.topic, options.group))
    for (let partition = 0; partition < known.topic.partitions; partition += 1)
      for await (const letter of lettersOf(on, known, partition)) {
        more = found.length >= options.limit
        if (more) break
        found.push(shown(letter, known, partition))
      }
  if (options.json) terminal.out.write(`${JSON.stringify(found)}\n`)
  else if (found.length > 0) {
    const rows = found.map((one) => [
      one.group,
      one.position,
      new Date(one.atMs).toISOString(),
      one.key,
      one.type,
      one.reason,
      String(one.attempts),
      one.message,
    ])
    terminal.out.write(
      table([['GROUP', 'POSITION', 'GIVEN UP', 'KEY', 'TYPE', 'REASON', 'ATTEMPTS', 'ANSWER'], ...rows]),
    )
  }
  terminal.err.write(`${more ? 'More than ' : ''}${found.length} dead letters.\n`)
  return found.length === 0 ? exitCodes.ok : exitCodes.findings
}

async function* lettersOf(
  { groups }: LogSystem,
  { group, topic }: KnownGroup,
  partition: number,
): AsyncGenerator<DeadLetter> {
  for (let after = 0; ;) {
    const letters = await groups.deadLetters({ topic, partition, group }, { after, limit: pageLetters })
    yield* letters
    const last = letters.at(-1)
    if (!last || letters.length < pageLetters) return
    after = last.seq
  }
}

function shown(
  { id, seq, key, type, eventId, reason, message, attempts, details, atMs }: DeadLetter,
  { group, topic }: KnownGroup,
  partition: number,
) {
  const position = formatPosition({ topic: topic.name, partition, id, seq })
  const said = typeof details?.['answer'] === 'string' ? `${message}: ${details['answer']}` : message
  return { group, position, seq, key, type, eventId, reason, message: maskText(said), attempts, atMs }
}

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

function tipText(topic: string, { partition, id, seq }: Tip): string {
  return seq === 0 ? '-' : formatPosition({ topic, partition, id, seq })
}

function timeOf({ id, seq }: Tip): string {
  return seq === 0 ? '-' : new Date(Number(id.split('-')[0])).toISOString()
}
