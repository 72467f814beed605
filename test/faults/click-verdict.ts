import type { Topic } from '@millrace/event'
import type { EventLog, Recorded } from '@millrace/log'
import type { GroupStore } from '@millrace/processor'
import { type Clicks, clicks, echoes, fold, group, isNoted, noClicks } from './clicks.ts'

/** What a run has left behind, and what is wrong with it; every list is empty for a good one. */
export interface ClickVerdict {
  readonly clicks: number
  readonly keys: number
  readonly echoes: number
  readonly notes: number
  /** Notes that were written a second time: effects are carried out at least once. */
  readonly notesRepeated: number
  /** Keys whose echoes are not the fold of their clicks, one each, in their order. */
  readonly wrongEchoes: readonly string[]
  /** Keys whose state is not the fold of their clicks. */
  readonly wrongStates: readonly string[]
  /** Ledgers that do not add up, or of which something is open. */
  readonly ledger: readonly string[]
  /** Notes that nobody wrote, and notes of nothing. */
  readonly wrongNotes: readonly string[]
}

/** What the log's clicks must have led to: for each key its echoes, in order, and its state. */
export class Expected {
  readonly states = new Map<string, Clicks>()
  readonly echoes = new Map<string, string[]>()
  notes = 0

  take(key: string, n: number): void {
    const now = fold(this.states.get(key) ?? noClicks, n)
    this.states.set(key, now)
    const line = echoText({ n, ...now })
    const lines = this.echoes.get(key)
    if (lines) lines.push(line)
    else this.echoes.set(key, [line])
    if (isNoted(n)) this.notes += 1
  }
}

interface Echo extends Clicks {
  readonly n: number
}

function echoText({ n, count, trace }: Echo): string {
  return `${n} ${count} ${trace}`
}

/** Judges a run when everything in it has stopped. @param notes The idempotency keys that were noted outside. */
export async function clickVerdict(
  log: EventLog,
  store: GroupStore,
  notes: readonly string[],
): Promise<ClickVerdict> {
  const expected = new Expected()
  let count = 0
  for await (const { event } of all(log, clicks)) {
    expected.take(event.subject, (event.data as { n: number }).n)
    count += 1
  }
  const found = new Map<string, string[]>()
  let echoed = 0
  for await (const { event } of all(log, echoes)) {
    echoed += 1
    const line = echoText(event.data as Echo)
    const lines = found.get(event.subject)
    if (lines) lines.push(line)
    else found.set(event.subject, [line])
  }
  const different = new Set(notes).size
  return {
    clicks: count,
    keys: expected.states.size,
    echoes: echoed,
    notes: different,
    notesRepeated: notes.length - different,
    wrongEchoes: differences(expected.echoes, found),
    wrongStates: await wrongStates(log, store, expected),
    ledger: await ledgerFaults(store),
    wrongNotes: different === expected.notes ? [] : [`${expected.notes} expected, ${different} written`],
  }
}

/** Keys of which the found lines are not the expected ones, with the first difference. */
export function differences(
  expected: ReadonlyMap<string, readonly string[]>,
  found: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const keys = new Set([...expected.keys(), ...found.keys()])
  return [...keys].flatMap((key) => {
    const [right, real] = [expected.get(key) ?? [], found.get(key) ?? []]
    const most = Math.max(right.length, real.length)
    for (let at = 0; at < most; at++)
      if (right[at] !== real[at])
        return [`${key}: its echo ${at + 1} is "${real[at] ?? 'none'}" instead of "${right[at] ?? 'none'}"`]
    return []
  })
}

async function wrongStates(log: EventLog, store: GroupStore, expected: Expected): Promise<readonly string[]> {
  const wrong: string[] = []
  const keys = new Map<number, string[]>()
  for await (const { event, position } of all(log, clicks)) {
    const list = keys.get(position.partition) ?? []
    if (list.length === 0) keys.set(position.partition, list)
    list.push(event.subject)
  }
  for (const [partition, names] of keys) {
    const own = [...new Set(names)]
    for (let from = 0; from < own.length; from += 500) {
      const asked = own.slice(from, from + 500)
      const stored = await store.loadStates({ topic: clicks, partition, group }, asked)
      for (const [at, key] of asked.entries()) {
        const right = JSON.stringify(expected.states.get(key))
        if (stored[at]?.state?.state !== right)
          wrong.push(`${key}: ${stored[at]?.state?.state ?? 'no state'} instead of ${right}`)
      }
    }
  }
  return wrong
}

/** What of the group's ledgers does not add up at this moment. */
export async function conservationFaults(store: GroupStore): Promise<readonly string[]> {
  const audits = await Promise.all(
    Array.from({ length: clicks.partitions }, async (_, partition) => {
      const { differences: found } = await store.audit({ topic: clicks, partition, group })
      return found.map((one) => `partition ${partition}: ${one}`)
    }),
  )
  return audits.flat()
}

/** Events that the group has not done, over all partitions, counting everything that waits somewhere. */
export async function openEvents(store: GroupStore): Promise<number> {
  const audits = await Promise.all(
    Array.from({ length: clicks.partitions }, (_, partition) =>
      store.audit({ topic: clicks, partition, group }),
    ),
  )
  return audits.reduce((sum, { unsettled, counters: { parked, lined, deferred, outbox, effects } }) => {
    const waiting = outbox.written - outbox.forwarded + effects.pending + effects.parked
    return sum + unsettled + parked + lined + deferred + waiting
  }, 0)
}

async function ledgerFaults(store: GroupStore): Promise<readonly string[]> {
  const open = await openEvents(store)
  const audits = await Promise.all(
    Array.from({ length: clicks.partitions }, (_, partition) =>
      store.audit({ topic: clicks, partition, group }),
    ),
  )
  const dead = audits.reduce((sum, { counters }) => sum + counters.dead + counters.effects.dead, 0)
  return [
    ...(await conservationFaults(store)),
    ...(open === 0 ? [] : [`${open} events or effects are open`]),
    ...(dead === 0 ? [] : [`${dead} dead letters`]),
  ]
}

async function* all(log: EventLog, topic: Topic): AsyncGenerator<Recorded> {
  const after = new Map<number, string>(Array.from({ length: topic.partitions }, (_, at) => [at, '0-0']))
  for (;;) {
    const pages = await log.read(topic, after, { limit: 2_000 })
    if (pages.size === 0) return
    for (const [partition, page] of pages) {
      yield* page
      const last = page.at(-1)
      if (last) after.set(partition, last.position.id)
    }
  }
}
