import type { DeadLetter } from '../dead-letter.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { ParkedKey } from '../parked-key.ts'
import type { AuditDifference } from './audit-difference.ts'
import type { AuditParts } from './audit-partition.ts'

type Fault = Pick<AuditDifference, 'what' | 'repair' | 'expected' | 'found'>

/** What is wrong with a park record, as far as the log can tell: its head, and how many events stand behind it. */
export async function faultOfLine(
  { log, store }: AuditParts,
  at: GroupPartition,
  { key, head, last, lined, note }: ParkedKey,
): Promise<Fault | undefined> {
  const { topic, partition, group } = at
  const repair = `millrace parked ignore --topic ${topic.name} --group ${group} --key ${key} --actor … --reason …`
  const event = await log.readAt(topic, { topic: topic.name, partition, id: note.id, seq: head })
  if (event?.event.subject !== key || event.position.seq !== head)
    return { what: 'the head of a parked key is not on the log', repair }
  if (lined === 0) return last === head ? undefined : { what: 'a line has an end and no events', repair }
  const [stored] = await store.loadStates(at, [key])
  const deferred = new Set((stored?.deferred ?? []).map(({ seq }) => seq))
  let behind = 0
  let reachesLast = false
  for (let afterVersion = 0; ;) {
    const { events, version } = await log.readKey(topic, key, { afterVersion })
    for (const { position } of events) {
      if (position.seq > head && position.seq <= last && !deferred.has(position.seq)) behind += 1
      reachesLast ||= position.seq === last
    }
    afterVersion += events.length
    if (events.length === 0 || afterVersion >= version) break
  }
  if (!reachesLast) return { what: 'the last event of a line is not on the log', repair }
  if (lined > behind)
    return { what: 'events in line behind a parked key', expected: lined, found: behind, repair }
  return undefined
}

/** What is wrong with a dead letter: its event is not on the log any more, so that it cannot be handled again. */
export async function faultOfLetter(
  { log, store }: AuditParts,
  at: GroupPartition,
  { id, seq }: DeadLetter,
): Promise<Fault | undefined> {
  const { topic, partition, group } = at
  if (await log.readAt(topic, { topic: topic.name, partition, id, seq })) return undefined
  const [still] = await store.deadLetters(at, { after: seq - 1, limit: 1 })
  if (still?.seq !== seq) return undefined
  return {
    what: `the event of dead letter ${seq} is not on the log`,
    repair: `millrace dead ignore ${topic.name}/${partition}/${id} --group ${group} --actor … --reason …`,
  }
}
