import {
  activateRequest,
  type ActivationLinks,
  changeEmailRequest,
  changePasswordRequest,
  resendRequest,
  type SessionTokens,
  signInRequest,
  signUpRequest,
  type Usernames,
} from '@millrace/accounts'
import { type Clock, systemClock } from '@millrace/event'
import { httpApp, type HttpAppOptions, jsonBody, type KitEnv, timeLimit } from '@millrace/hono'
import { formatPosition, type Position } from '@millrace/log'
import type { Context, Input } from 'hono'
import type { ReadableLog } from './account-history.ts'
import { activate } from './activate.ts'
import { noSoonerThan } from './answer-floor.ts'
import { AskLimit } from './ask-limit.ts'
import { changeEmail } from './change-email.ts'
import { changePassword } from './change-password.ts'
import { closeAccount } from './close-account.ts'
import type { Call, CommandPorts } from './command.ts'
import { defaultLimits, type UserCommandLimits } from './limits.ts'
import type { Passwords } from './passwords.ts'
import { privateSignUp } from './private-sign-up.ts'
import { requestActivation, requestActivationFor } from './request-activation.ts'
import { ownSession } from './session-of-request.ts'
import { signIn } from './sign-in.ts'
import { signUp } from './sign-up.ts'
import type { UniqClient } from './uniq-client.ts'
import { entityTag, readIfMatch } from './version-match.ts'
import { readIdempotencyKey } from './write-identity.ts'

/** What {@link createUserCommand} needs. */
export interface UserCommandOptions {
  readonly uniq: UniqClient
  readonly log: ReadableLog
  readonly passwords: Passwords
  readonly sessions: SessionTokens
  readonly links: ActivationLinks
  /** The secret of the purpose `idempotency`, at least 32 bytes. The same for every instance. */
  readonly idempotencySecret: Uint8Array
  readonly http: HttpAppOptions
  readonly clock?: Clock
  /** `private`: a sign-up answers 202 whether or not the address has an account. Default `open`. */
  readonly privacy?: 'open' | 'private'
  /** As the constraints of the accounts topic have it. Default `shared`. */
  readonly usernames?: Usernames
  readonly limits?: Partial<UserCommandLimits>
}

/** Bodies are small: a form of three fields. */
const bodyBytes = 16 * 1024

const mailOnItsWay = { message: 'If the address can be used, a mail with the next step is on its way.' }

/** The service that owns all writes about users. Its HTTP interface is described in docs/sign-up.md. */
export function createUserCommand(options: UserCommandOptions) {
  if (options.idempotencySecret.byteLength < 32)
    throw new TypeError('The secret for idempotency keys has at least 32 bytes')
  const limits = { ...defaultLimits, ...options.limits }
  const ports: CommandPorts = {
    ...options,
    clock: options.clock ?? systemClock,
    usernames: options.usernames ?? 'shared',
    linkMails: limits.linkMails,
  }
  const app = httpApp({ body: { maxBytes: bodyBytes }, ...options.http })
  app.use(timeLimit(limits.requestMs))
  addSignUp(app, ports, options.privacy ?? 'open', limits)
  addSessions(app, ports, limits)
  addOwnAccount(app, ports, limits)
  addActivation(app, ports, limits)
  return app
}

type App = ReturnType<typeof httpApp>

function addSignUp(
  app: App,
  ports: CommandPorts,
  privacy: 'open' | 'private',
  { answerFloorMs }: UserCommandLimits,
): void {
  app.post('/users', jsonBody(signUpRequest), async (c) => {
    const body = c.req.valid('json')
    if (privacy === 'private') {
      await noSoonerThan(answerFloorMs, privateSignUp(ports, callOf(c), body))
      return c.json(mailOnItsWay, 202)
    }
    const { position, ...made } = await signUp(ports, callOf(c), body)
    c.header('Location', `/users/${made.id}`)
    return secret(c).json({ ...made, position: formatPosition(position) }, 201)
  })
}

function addSessions(app: App, ports: CommandPorts, limits: UserCommandLimits): void {
  const limit = new AskLimit(limits.signIns, ports.idempotencySecret)
  app.post('/sessions', jsonBody(signInRequest), async (c) => {
    const body = c.req.valid('json')
    limit.takeForAddress(body.email)
    return secret(c).json(await signIn(ports, callOf(c), body))
  })
}

function addOwnAccount(app: App, ports: CommandPorts, limits: UserCommandLimits): void {
  const own = ownSession(ports.sessions)
  const changes = new AskLimit(limits.changes, ports.idempotencySecret)
  const passwordChanges = new AskLimit(limits.passwordChanges, ports.idempotencySecret)
  app.patch('/users/:id', own, jsonBody(changeEmailRequest), async (c) => {
    const session = c.get('session')
    const match = readIfMatch(c.req.header('if-match'))
    changes.takeFor(session.accountId)
    const { email } = c.req.valid('json')
    const written = await changeEmail(ports, callOf(c), session, email, match)
    c.header('ETag', entityTag(written.version))
    return c.json(answerOf(session.accountId, written))
  })
  app.post('/users/:id/password', own, jsonBody(changePasswordRequest), async (c) => {
    const session = c.get('session')
    passwordChanges.takeFor(session.accountId)
    const written = await changePassword(ports, callOf(c), session, c.req.valid('json'))
    const { token, expiresAt } = written
    return secret(c).json({ ...answerOf(session.accountId, written), token, expiresAt })
  })
  app.delete('/users/:id', own, async (c) => {
    const session = c.get('session')
    return c.json(answerOf(session.accountId, await closeAccount(ports, callOf(c), session)))
  })
  app.post('/users/:id/activation', own, async (c) => {
    const { status } = await requestActivation(ports, callOf(c), c.get('session'))
    return c.json(
      status === 'unchanged' ? { message: 'The address is confirmed already.' } : mailOnItsWay,
      202,
    )
  })
}

function addActivation(app: App, ports: CommandPorts, limits: UserCommandLimits): void {
  const resends = new AskLimit(limits.resends, ports.idempotencySecret)
  app.post('/activations', jsonBody(activateRequest), async (c) => {
    const { id, position, already } = await activate(ports, callOf(c), c.req.valid('json').token)
    return c.json({ id, position: formatPosition(position), ...(already ? { already } : {}) })
  })
  app.post('/activations/resend', jsonBody(resendRequest), async (c) => {
    const { email } = c.req.valid('json')
    resends.takeForAddress(email)
    await noSoonerThan(limits.answerFloorMs, requestActivationFor(ports, callOf(c), email))
    return c.json(mailOnItsWay, 202)
  })
}

function callOf<E extends KitEnv>(c: Context<E>): Call {
  return {
    correlationId: c.get('correlationId'),
    traceparent: c.get('traceparent'),
    idempotencyKey: readIdempotencyKey(c.req.header('idempotency-key')),
    signal: c.get('deadline'),
  }
}

/** An answer that nobody between may keep. */
function secret<E extends KitEnv, P extends string, I extends Input>(c: Context<E, P, I>): Context<E, P, I> {
  c.header('Cache-Control', 'no-store')
  return c
}

function answerOf(id: string, written: { readonly position: Position; readonly correlationId: string }) {
  const { position, correlationId } = written
  return { id, position: formatPosition(position), correlationId }
}
