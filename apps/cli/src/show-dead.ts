import { MillraceError, type Topic } from '@millrace/event'
import { formatPosition, parsePosition, type Position } from '@millrace/log'
import type { DeadItem, GroupPartition } from '@millrace/processor'
import { maskText } from '@millrace/service'
import { exitCodes } from './exit-codes.ts'
import { shownItem } from './list-dead.ts'
import { groupsNamed, type LogSystem, topicNamed } from './log-system.ts'
import { maskedData } from './masked-data.ts'
import type { Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** An event that needs an operator, found by its position. */
export interface FoundItem {
  readonly at: GroupPartition
  readonly item: DeadItem
}

/**
 * The dead letter or held key at a position, in the groups that may have it.
 *
 * @throws MillraceError `position.invalid`, `repair.gone`, `request.invalid` when more than one group has it
 */
export async function itemAt(
  { groups, log }: LogSystem,
  text: string,
  group: string | undefined,
): Promise<FoundItem> {
  const position = parsePosition(text)
  const topic = topicNamed(position.topic)
  const found: FoundItem[] = []
  for (const known of groupsNamed(topic.name, group)) {
    const at = { topic, group: known.group, partition: position.partition }
    const key = await keyAt({ groups, log }, at, topic, position)
    if (key === undefined) continue
    const { items } = await groups.deadItems(at, { filter: { key }, limit: 1_000 })
    const item = items.find(({ seq }) => seq === position.seq)
    if (item) found.push({ at, item })
  }
  const [only, another] = found
  if (only && another)
    throw new MillraceError(
      'request.invalid',
      `${found.map(({ at }) => at.group).join(' and ')} have it: add --group`,
    )
  if (!only) throw new MillraceError('repair.gone', `${text} is neither held nor a dead letter`)
  return only
}

async function keyAt(
  { groups, log }: Pick<LogSystem, 'groups' | 'log'>,
  at: GroupPartition,
  topic: Topic,
  position: Position,
): Promise<string | undefined> {
  const [letter] = await groups.deadLetters(at, { after: position.seq - 1, limit: 1 })
  if (letter?.seq === position.seq) return letter.key
  return (await log.readAt(topic, position))?.event.subject
}

/** `millrace dead show`: everything that is known of one, and the event itself, masked unless asked otherwise. */
export async function showDead(
  on: LogSystem,
  text: string,
  options: OutputOptions & { readonly group?: string; readonly plain?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { at, item } = await itemAt(on, text, options.group)
  const { topic, partition } = at
  const said = item.letter ?? item.parked?.note
  const id = item.letter?.id ?? item.parked?.note.id ?? ''
  const recorded = await on.log.readAt(topic, { topic: topic.name, partition, id, seq: item.seq })
  const ruling = (await on.groups.rulings(at, [item.seq])).get(item.seq)
  const probe = {
    id: 'show',
    seq: item.seq,
    key: item.key,
    kind: 'requeued',
    by: 'show',
    reason: 'show',
  } as const
  const late = item.letter ? await on.groups.rule(at, { ...probe, dryRun: true }) : undefined
  const mask = (message: string) => (options.plain ? message : maskText(message))
  const shown = {
    ...shownItem(item, at),
    message: mask(said?.message ?? ''),
    correlationId: said?.correlationId ?? recorded?.event.correlationid ?? null,
    details: said?.details ?? {},
    tries: (said?.tries ?? []).map((one) => ({ ...one, error: mask(one.error) })),
    dueMs: item.parked?.note.dueMs ?? null,
    parkNo: item.parked?.no ?? null,
    overtaken: late?.status === 'ruled' ? (late.overtaken ?? null) : null,
    ruling: ruling ?? null,
    stack: mask(said?.stack ?? ''),
    event: recorded
      ? { ...recorded.event, data: options.plain ? recorded.event.data : maskedData(recorded.event.data) }
      : null,
  }
  terminal.out.write(options.json ? `${JSON.stringify(shown)}\n` : `${JSON.stringify(shown, null, 2)}\n`)
  if (!recorded) {
    const place = formatPosition({ topic: topic.name, partition, id, seq: item.seq })
    terminal.err.write(`${place} is not on the log any more.\n`)
  }
  return exitCodes.ok
}
