import { accounts, type signUpRequest } from '@millrace/accounts'
import { type Event, newEvent } from '@millrace/event'
import type { Position } from '@millrace/log'
import type { z } from 'zod'
import { correlationAt } from './account-history.ts'
import { type Call, type CommandPorts, commandSource } from './command.ts'
import { writeIdentity, type WriteIdentity } from './write-identity.ts'

/** A validated body of `POST /users`. */
export type SignUp = z.output<typeof signUpRequest>

/** An account that was made. */
export interface SignedUp {
  readonly id: string
  readonly position: Position
  readonly correlationId: string
  readonly token: string
  readonly expiresAt: string
}

/** Method and path that ids and fingerprints of a sign-up derive from. */
export const signUpRoute = 'POST /users'

/** Makes an account: claims the address and writes the event in one step, or refuses. */
export async function signUp(ports: CommandPorts, call: Call, body: SignUp): Promise<SignedUp> {
  const identity = writeIdentity(ports.idempotencySecret, {
    route: signUpRoute,
    scope: '',
    idempotencyKey: call.idempotencyKey,
    body,
  })
  const event = await accountCreated(ports, call, identity, body)
  const { status, position } = await ports.uniq.append('create', event, {
    fingerprint: identity.fingerprint,
    signal: call.signal,
  })
  const { correlationId } = call
  return {
    id: identity.accountId,
    position,
    correlationId:
      status === 'duplicate' ? await correlationAt(ports.log, position, correlationId) : correlationId,
    // Of the first password: if that was changed since, a repeat of the sign-up opens nothing.
    ...(await ports.sessions.issue({ accountId: identity.accountId, passwordVersion: 1 })),
  }
}

/** The event of a sign-up, with the password hashed. */
export async function accountCreated(
  ports: CommandPorts,
  call: Call,
  { accountId, eventId }: WriteIdentity,
  { username, email, password }: SignUp,
): Promise<Event> {
  const passwordHash = await ports.passwords.hash(password, call.signal)
  return newEvent(
    accounts,
    {
      type: 'AccountCreated',
      key: accountId,
      id: eventId,
      source: commandSource,
      data: { username, email, passwordHash },
      correlationId: call.correlationId,
      traceparent: call.traceparent,
      actor: accountId,
    },
    ports.clock,
  )
}
