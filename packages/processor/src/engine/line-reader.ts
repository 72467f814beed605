import { MillraceError, type Topic } from '@millrace/event'
import type { EventLog, Recorded } from '@millrace/log'
import { type LostEvent, lostEventOf } from './lost-event.ts'

/** Where a line is read from. */
export interface LineSource {
  readonly log: Pick<EventLog, 'readKey'>
  readonly topic: Topic
  readonly key: string
}

/** How many events of the key come before a sequence number, where there is none of it any more. */
export async function placeBehind(source: LineSource, seq: number): Promise<number> {
  const { version } = await source.log.readKey(source.topic, source.key, {
    afterVersion: mostVersion,
    limit: 1,
  })
  let low = 0
  let high = version
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((await seqAt(source, middle)) < seq) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * How many events of the key come before the one with this sequence number. Looks from the end, where heads nearly
 * always are, and halves what is left; what retention has removed lies before it.
 *
 * @param behind How many events of the key come behind it, as far as is known.
 * @throws MillraceError of the log; `log.trimmed` when the key has no such event any more
 */
export async function versionOf(source: LineSource, seq: number, behind: number): Promise<number> {
  const { log, topic, key } = source
  const { version } = await log.readKey(topic, key, { afterVersion: mostVersion, limit: 1 })
  let low = 0
  let high = version
  let probe = Math.max(0, version - 1 - behind)
  while (low < high) {
    const found = await seqAt(source, probe)
    if (found === seq) return probe
    if (found < seq) low = probe + 1
    else high = probe
    probe = Math.floor((low + high) / 2)
  }
  throw new MillraceError('log.trimmed', `Event ${seq} of ${topic.name} is not among those of its key`)
}

/** The next events of a key, before one that the log cannot give any more; that one, when it is the next. */
export interface LinePage {
  readonly events: readonly Recorded[]
  readonly lost?: LostEvent
}

/** The next events of the key; none: its index has no more. */
export async function readOn(source: LineSource, version: number, limit: number): Promise<LinePage> {
  const { log, topic, key } = source
  try {
    const { events } = await log.readKey(topic, key, { afterVersion: version, limit })
    return { events }
  } catch (error) {
    const lost = lostEventOf(error)
    if (lost === undefined) throw error
    return lost.before === 0
      ? { events: [], lost }
      : readOn(source, version, Math.min(lost.before, limit - 1))
  }
}

/**
 * The next event of a key that its index does not have: something else than an append has put it on the log. Found by
 * walking along its partition, from an event before it up to the last that there can be.
 *
 * @throws MillraceError of the log; `log.trimmed` when there is none
 */
export async function readBeside(
  { log, topic, key }: LineSource & { readonly log: Pick<EventLog, 'read'> },
  partition: number,
  { id, afterSeq, last }: { readonly id: string; readonly afterSeq: number; readonly last: number },
): Promise<Recorded> {
  for (let cursor = id; ;) {
    const events = (await log.read(topic, new Map([[partition, cursor]]))).get(partition) ?? []
    const found = events.find(({ event, position }) => position.seq > afterSeq && event.subject === key)
    if (found !== undefined && found.position.seq <= last) return found
    const end = events.at(-1)?.position
    if (found !== undefined || end === undefined || end.seq >= last)
      throw new MillraceError(
        'log.trimmed',
        `The line of a key of ${topic.name} has more events than the log`,
      )
    cursor = end.id
  }
}

// Beyond every list of a key.
const mostVersion = 2 ** 31

async function seqAt({ log, topic, key }: LineSource, version: number): Promise<number> {
  try {
    const { events } = await log.readKey(topic, key, { afterVersion: version, limit: 1 })
    return events[0]?.position.seq ?? Number.POSITIVE_INFINITY
  } catch (error) {
    const lost = lostEventOf(error)
    if (lost !== undefined) return lost.seq
    if (error instanceof MillraceError && error.code === 'log.trimmed') return 0
    throw error
  }
}

/** One event of a key, by its sequence number. @throws MillraceError of the log; `log.trimmed` when it is not there */
export async function readOne(source: LineSource, seq: number): Promise<Recorded> {
  const { events, lost } = await readOn(source, await versionOf(source, seq, 0), 1)
  const [found] = events
  if (found === undefined) throw lost?.error ?? new TypeError('Bug: an event is where it is not')
  return found
}
