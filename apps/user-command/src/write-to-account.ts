import { type AccountEventType, accounts } from '@millrace/accounts'
import { MillraceError, newEvent } from '@millrace/event'
import type { Position } from '@millrace/log'
import { type AccountHistory, readAccount } from './account-history.ts'
import { type Call, type CommandPorts, commandSource } from './command.ts'
import type { UniqAction, UniqAnswer } from './uniq-client.ts'

/** What a decision wants to have written. */
export interface AccountDraft {
  readonly type: AccountEventType
  readonly data: unknown
}

/** One event for one account. */
export interface AccountWrite {
  readonly accountId: string
  readonly eventId: string
  readonly fingerprint?: string | undefined
  readonly action: UniqAction
  /** Who does it; left out for what nobody signed in for. */
  readonly actor?: string
  /** Decides on what the account is now: what to write, nothing, or a refusal that it throws. */
  decide(history: AccountHistory): AccountDraft | undefined | Promise<AccountDraft | undefined>
}

/** What became of it. */
export interface AccountWritten {
  /** `repeated`: this very request was taken before, and this is its first answer. */
  readonly status: 'appended' | 'repeated' | 'unchanged'
  readonly position: Position
  /** Events of the account after this one. */
  readonly version: number
  readonly correlationId: string
}

const mostAttempts = 5

/** Somebody else was faster, or the log has forgotten the event. */
const overtaken = new Set<string>(['append.version', 'append.not-owner'])

/**
 * Reads, decides and writes. The write demands the version that the decision saw; when somebody else was faster,
 * it all begins again. A request that was taken before is not decided anew: the log answers for it.
 */
export async function writeToAccount(
  ports: CommandPorts,
  call: Call,
  write: AccountWrite,
): Promise<AccountWritten> {
  let conflict: MillraceError | undefined
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const history = await readAccount(ports.log, write.accountId)
    const repeated = await repeatOf(ports, call, write, history)
    if (repeated) return repeated
    const draft = await write.decide(history)
    if (!draft) return untouched(history, call)
    const answer = await append(ports, call, write, draft, history)
    if (answer instanceof MillraceError) {
      conflict = answer
      continue
    }
    // The same request at the same time was faster: the next round finds its event.
    if (answer.status === 'duplicate') continue
    const { status, position, version = history.version } = answer
    return { status, position, version, correlationId: call.correlationId }
  }
  throw new MillraceError('service.busy', 'The account is being changed by others', { cause: conflict })
}

/**
 * The first answer of a request that was taken before. The event is sent as it was: the log knows it and compares
 * the fingerprints. It remembers events without claims for an hour only, so that the version from before the
 * event goes with it: a forgotten one is refused and not written again.
 */
async function repeatOf(
  ports: CommandPorts,
  call: Call,
  { action, eventId, fingerprint }: AccountWrite,
  { events }: AccountHistory,
): Promise<AccountWritten | undefined> {
  const at = events.findIndex(({ event }) => event.id === eventId && event.source === commandSource)
  const first = events[at]
  if (!first) return undefined
  try {
    await ports.uniq.append(action, first.event, { fingerprint, expectedVersion: at, signal: call.signal })
  } catch (cause) {
    if (!(cause instanceof MillraceError) || !overtaken.has(cause.code)) throw cause
    const message = 'The idempotency key was used too long ago to compare the requests'
    throw new MillraceError('append.fingerprint', message, { cause })
  }
  return {
    status: 'repeated',
    position: first.position,
    version: at + 1,
    correlationId: first.event.correlationid,
  }
}

function untouched({ events, version }: AccountHistory, call: Call): AccountWritten {
  const last = events.at(-1)
  if (!last) throw new TypeError('A decision about nothing must write or refuse')
  return { status: 'unchanged', position: last.position, version, correlationId: call.correlationId }
}

async function append(
  ports: CommandPorts,
  call: Call,
  write: AccountWrite,
  draft: AccountDraft,
  history: AccountHistory,
): Promise<UniqAnswer | MillraceError> {
  const event = newEvent(
    accounts,
    {
      ...draft,
      id: write.eventId,
      key: write.accountId,
      source: commandSource,
      correlationId: call.correlationId,
      traceparent: call.traceparent,
      ...(write.actor === undefined ? {} : { actor: write.actor }),
    },
    ports.clock,
  )
  try {
    return await ports.uniq.append(write.action, event, {
      fingerprint: write.fingerprint,
      expectedVersion: history.version,
      signal: call.signal,
    })
  } catch (error) {
    if (error instanceof MillraceError && overtaken.has(error.code)) return error
    throw error
  }
}
