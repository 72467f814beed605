import { MillraceError, type Topic } from '@millrace/event'
import type { EventLog, Recorded } from '@millrace/log'

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

/** The next events of the key, without those that do not belong to the line any more. */
export async function readOn(
  { log, topic, key }: LineSource,
  version: number,
  limit: number,
): Promise<readonly Recorded[]> {
  const { events } = await log.readKey(topic, key, { afterVersion: version, limit })
  if (events.length === 0)
    throw new MillraceError('log.trimmed', `The index of a key of ${topic.name} ends before its line does`)
  return events
}

// Beyond every list of a key.
const mostVersion = 2 ** 31

async function seqAt({ log, topic, key }: LineSource, version: number): Promise<number> {
  try {
    const { events } = await log.readKey(topic, key, { afterVersion: version, limit: 1 })
    return events[0]?.position.seq ?? Number.POSITIVE_INFINITY
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'log.trimmed') return 0
    throw error
  }
}

/** One event of a key, by its sequence number. */
export async function readOne(source: LineSource, seq: number): Promise<Recorded> {
  const [found] = await readOn(source, await versionOf(source, seq, 0), 1)
  if (found === undefined) throw new TypeError('Bug: an event is where it is not')
  return found
}
