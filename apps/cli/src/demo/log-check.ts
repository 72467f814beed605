import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { MillraceError } from '@millrace/event'
import { normalAddress } from './address-forms.ts'
import type { Judgement } from './judge.ts'

/** Where the log is read. */
export interface LogSource {
  readonly baseUrl: string
  readonly token: string
  readonly signal: AbortSignal
}

/** What the log says of a run. */
export interface LogFinding {
  /** Accounts that were made for addresses of the run. */
  readonly created: number
  /** Events that were looked at: all of the topic. */
  readonly events: number
  readonly differences: readonly string[]
}

interface LoggedEvent {
  readonly type: string
  readonly subject: string
  readonly position: string
  readonly cursor?: string
  readonly data: { readonly email?: string }
}

/**
 * Reads the accounts topic from its beginning and compares it with the answers: each address of the run has exactly
 * one account, which is the one that was answered, at the position that was answered; no password is anywhere.
 *
 * @throws MillraceError `service.failed`, `request.unauthorized` when the log cannot be read
 */
export async function checkLog(
  source: LogSource,
  judgement: Judgement,
  passwordMark: string,
): Promise<LogFinding> {
  const differences: string[] = []
  const found = new Map<string, LoggedEvent[]>()
  let events = 0
  for await (const line of linesOfTopic(source)) {
    events += 1
    const event = JSON.parse(line) as LoggedEvent
    if (line.includes(passwordMark)) differences.push(`The event at ${event.position} holds a password`)
    if (event.type !== 'AccountCreated') continue
    const address = normalAddress(event.data.email ?? '')
    if (judgement.addresses.has(address)) found.set(address, [...(found.get(address) ?? []), event])
  }
  for (const address of judgement.addresses)
    differences.push(...differencesOf(address, found.get(address) ?? [], judgement))
  return { created: [...found.values()].flat().length, events, differences }
}

function differencesOf(address: string, events: readonly LoggedEvent[], judgement: Judgement): string[] {
  const [event, ...more] = events
  if (!event) return [`${address} has no account on the log`]
  if (more.length > 0) return [`${address} has ${events.length} accounts on the log`]
  const answered = judgement.created.get(address)
  if (judgement.privateSignUp) return []
  if (!answered) return [`${address} has an account on the log, and nobody was told`]
  const { id, position } = answered
  return id === event.subject && position === event.position
    ? []
    : [
        `${address} was answered ${id} at ${position}, and is ${event.subject} at ${event.position} on the log`,
      ]
}

const pageEvents = 2_000

/** Every event of the topic, as the line that it is. Reads on from the last cursor until there is nothing more. */
async function* linesOfTopic(source: LogSource): AsyncGenerator<string> {
  for (let after = ''; ;) {
    let last = ''
    const query = new URLSearchParams({ limit: String(pageEvents), ...(after === '' ? {} : { after }) })
    const answer = await fetch(`${source.baseUrl}/topics/accounts/events?${query.toString()}`, {
      headers: { Authorization: `Bearer ${source.token}` },
      signal: source.signal,
    })
    if (!answer.ok || !answer.body) throw unreadable(answer.status)
    const body = Readable.fromWeb(answer.body as ReadableStream)
    for await (const line of createInterface({ input: body, crlfDelay: Infinity })) {
      if (line === '') continue
      if (line.startsWith('{"problem"'))
        throw new MillraceError('service.failed', `The log broke off: ${line}`)
      last = line
      yield line
    }
    const cursor = last === '' ? undefined : (JSON.parse(last) as LoggedEvent).cursor
    if (cursor === undefined || cursor === after) return
    after = cursor
  }
}

function unreadable(status: number): MillraceError {
  return status === 401
    ? new MillraceError(
        'request.unauthorized',
        'The system does not take the intake token: set INTAKE_TOKEN or --home',
      )
    : new MillraceError('service.failed', `The log cannot be read: the gateway answered ${status}`)
}
