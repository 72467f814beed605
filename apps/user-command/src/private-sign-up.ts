import { type Account, accounts, attemptIsNews } from '@millrace/accounts'
import { type Event, freshId, MillraceError, newEvent } from '@millrace/event'
import { type AccountHistory, readAccount } from './account-history.ts'
import { type Call, type CommandPorts, commandSource, isLive } from './command.ts'
import { accountCreated, type SignUp, signUpRoute } from './sign-up.ts'
import { fingerprintOf, writeIdentity } from './write-identity.ts'

const mostAttempts = 5

/**
 * A sign-up whose answer does not tell whether the address has an account. If it has none, one is made; if it has,
 * SignUpAttempted is written on the owner's key, at most once an hour, and the owner gets a mail.
 *
 * Either way takes the same steps: hash, append, look up the owner, read the owner's account, append. On the
 * way without news the last append is a repeat, which the log knows already and which writes nothing.
 *
 * @throws MillraceError `append.claimed` for the username alone, whatever the address
 */
export async function privateSignUp(ports: CommandPorts, call: Call, body: SignUp): Promise<void> {
  const created = await accountCreated(ports, call, privateIdentity(ports, call, body), body)
  for (let attempt = 1; attempt <= mostAttempts; attempt++)
    if (await settled(ports, call, created, body)) return
  throw new MillraceError('service.busy', 'The address changes hands too often')
}

/**
 * The body is part of the ids here. Were it not, the same Idempotency-Key with a second body would be refused
 * after a success and not after a loss, and so tell one from the other.
 */
function privateIdentity(ports: CommandPorts, call: Call, body: SignUp) {
  const { idempotencySecret } = ports
  const scope = fingerprintOf(idempotencySecret, signUpRoute, body)
  return writeIdentity(idempotencySecret, {
    route: signUpRoute,
    scope,
    idempotencyKey: call.idempotencyKey,
    body,
  })
}

/** One round; false when the address changed hands between its steps. */
async function settled(ports: CommandPorts, call: Call, created: Event, body: SignUp): Promise<boolean> {
  const lost = await lostClaim(ports, call, created)
  const owner = await ports.uniq.ownerOf('email', [body.email])
  const username = ports.usernames === 'unique' ? await holderOf(ports, body) : undefined
  const history = await readAccount(ports.log, owner ?? freshId())
  if (!lost) {
    await ports.uniq.append('create', created, { signal: call.signal })
    return true
  }
  // Before the address decides anything, and so whether or not it is taken too.
  if (username !== undefined && username !== created.subject) throw usernameTaken()
  if (!isLive(history.account)) return false
  return noteAttempt(ports, call, history.account, history)
}

/** Whether the address is another's. */
async function lostClaim(ports: CommandPorts, call: Call, created: Event): Promise<boolean> {
  try {
    await ports.uniq.append('create', created, { signal: call.signal })
    return false
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'append.claimed') return true
    throw error
  }
}

function holderOf(ports: CommandPorts, { username }: SignUp): Promise<string | undefined> {
  return ports.uniq.ownerOf('username', [username])
}

function usernameTaken(): MillraceError {
  return new MillraceError('append.claimed', 'The username is taken', {
    details: { constraint: 'username', field: 'username' },
  })
}

/** Writes the attempt, or the last one again when that is less than an hour ago. */
async function noteAttempt(
  ports: CommandPorts,
  call: Call,
  account: Account,
  { events, version }: AccountHistory,
): Promise<boolean> {
  const news = attemptIsNews(account, ports.clock.now())
  const at = events.findIndex(({ event }) => event.id === account.lastAttempt?.eventId)
  const event = (news ? undefined : events[at]?.event) ?? attemptOf(ports, call, account)
  try {
    // The version of a repeat is that from before it: should the log have forgotten it, it is not written again.
    await ports.uniq.append('none', event, { expectedVersion: news ? version : at, signal: call.signal })
    return true
  } catch (error) {
    // The account was changed, closed or told between reading and writing: everything must be asked again.
    if (error instanceof MillraceError && error.code === 'append.version') return !news
    throw error
  }
}

function attemptOf(ports: CommandPorts, call: Call, account: Account): Event {
  return newEvent(
    accounts,
    {
      type: 'SignUpAttempted',
      key: account.id,
      source: commandSource,
      data: { email: account.email },
      correlationId: call.correlationId,
      traceparent: call.traceparent,
    },
    ports.clock,
  )
}
