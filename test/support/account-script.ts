import { type AccountEventType, accounts } from '@millrace/accounts'
import { type Event, newEvent, partitionOfKey } from '@millrace/event'
import { type EventLog, formatPosition, type Position } from '@millrace/log'

/** Appends events of accounts as user-command would, past its rules. */
export class AccountScript {
  readonly #log: Pick<EventLog, 'append'>
  #time = Date.parse('2026-03-01T12:00:00Z')

  constructor(log: Pick<EventLog, 'append'>) {
    this.#log = log
  }

  /** Lets time pass: the next events happen so many ms later. */
  pass(ms: number): void {
    this.#time += ms
  }

  /** Somebody signs up; answers the position as text. */
  signUp(id: string, email = `${id}@example.org`): Promise<string> {
    return this.append('AccountCreated', id, {
      username: `Name of ${id}`,
      email,
      passwordHash: '$argon2id$x',
    })
  }

  async append(type: AccountEventType, id: string, data: unknown = {}): Promise<string> {
    const time = new Date(this.#time).toISOString()
    const event = newEvent(accounts, { type, key: id, data, source: '/millrace/user-command', time })
    return formatPosition(await this.write(event))
  }

  /** Writes any event, also one that the topic does not know. */
  async write(event: Event): Promise<Position> {
    const [result] = await this.#log.append(accounts, [{ events: [event] }])
    const position = result?.status === 'appended' ? result.positions[0] : undefined
    if (!position) throw new Error('The event was not appended')
    return position
  }
}

/** Account ids that lie in one partition. */
export function idsIn(partition: number, count: number): readonly string[] {
  const ids: string[] = []
  for (let at = 0; ids.length < count; at++)
    if (partitionOfKey(accounts, `u${at}`) === partition) ids.push(`u${at}`)
  return ids
}
