import { accounts } from '@millrace/accounts'
import type { Event } from '@millrace/event'
import { beginning, type EventLog } from '@millrace/log'

/**
 * What each account holds by the events alone, and which values are held twice. Of a make of its own, and so no
 * witness to the claims' own fold.
 */
export async function ownersOfLog(
  log: Pick<EventLog, 'read'>,
): Promise<{ readonly held: ReadonlyMap<string, string>; readonly twice: readonly string[] }> {
  const held = new Map<string, string>()
  for (let partition = 0; partition < accounts.partitions; partition++)
    for await (const event of eventsOf(log, partition)) {
      const value = valueOf(event)
      if (value === undefined) held.delete(event.subject)
      else held.set(event.subject, value)
    }
  const owner = new Map<string, string>()
  const twice: string[] = []
  for (const [account, value] of held) {
    const other = owner.get(value)
    if (other !== undefined) twice.push(`${value} belongs to ${other} and to ${account}`)
    owner.set(value, account)
  }
  return { held, twice }
}

async function* eventsOf(log: Pick<EventLog, 'read'>, partition: number): AsyncGenerator<Event> {
  let cursor = beginning
  for (;;) {
    const read = await log.read(accounts, new Map([[partition, cursor]]), { limit: 1_000 })
    const events = read.get(partition) ?? []
    for (const { event } of events) yield event
    const last = events.at(-1)
    if (!last) return
    cursor = last.position.id
  }
}

function valueOf({ data }: Event): string | undefined {
  const email: unknown = typeof data === 'object' && data !== null && 'email' in data ? data.email : undefined
  return typeof email === 'string' ? email.trim().toLowerCase() : undefined
}
