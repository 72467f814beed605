import {
  activateRequest,
  changeEmailRequest,
  changePasswordRequest,
  resendRequest,
  signInRequest,
  signUpRequest,
} from '@millrace/accounts'
import { type KitContext, type KitEnv, queryFields, type ServiceClient } from '@millrace/hono'
import { Hono } from 'hono'
import { z } from 'zod'
import type { ClientLimits } from '../client-limits.ts'
import { type Forwarding, forward } from '../forwarding/forward.ts'
import { answers } from './answers.ts'
import { endpoint } from './endpoint.ts'

/** What the public HTTP interface stands on. */
export interface Api {
  readonly userCommand: ServiceClient
  readonly userQuery: ServiceClient
  readonly limits: ClientLimits
  readonly commandTimeoutMs: number
  readonly queryTimeoutMs: number
  readonly publicUrl: string
}

const accountTag = { tags: ['Accounts'] } as const
const sessionTag = { tags: ['Sessions'] } as const
const away = ['service.unavailable', 'service.busy', 'log.unavailable'] as const
const afterQuery = z.object({
  after: z.string().max(200).optional().describe('Wait until this position is part of the answer.'),
})

/** Sign-up and accounts over HTTP: every call is carried out by user-command or user-query. */
export function apiRoutes(api: Api): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  const { signUp, sessions, resend } = api.limits
  const toCommand = (c: KitContext, path: string, how: Partial<Forwarding> = {}) =>
    forward(c, {
      service: api.userCommand,
      path,
      timeoutMs: api.commandTimeoutMs,
      publicUrl: api.publicUrl,
      secured: false,
      body: true,
      ...how,
    })
  const owner = { secured: true } as const

  app.post('/users', ...endpoint(signingUp), signUp, (c) => toCommand(c, '/users'))
  app.get('/users/:id', ...endpoint(reading), queryFields(afterQuery), (c) =>
    forward(c, {
      service: api.userQuery,
      path: userPath(c),
      timeoutMs: api.queryTimeoutMs,
      publicUrl: api.publicUrl,
      query: ['after'],
      secured: true,
      body: false,
    }),
  )
  app.patch('/users/:id', ...endpoint(changingAddress), (c) => toCommand(c, userPath(c), owner))
  app.delete('/users/:id', ...endpoint(closing), (c) => toCommand(c, userPath(c), { ...owner, body: false }))
  app.post('/users/:id/password', ...endpoint(changingPassword), sessions, (c) =>
    toCommand(c, `${userPath(c)}/password`, owner),
  )
  app.post('/users/:id/activation', ...endpoint(resending), resend, (c) =>
    toCommand(c, `${userPath(c)}/activation`, { ...owner, body: false }),
  )
  app.post('/sessions', ...endpoint(signingIn), sessions, (c) => toCommand(c, '/sessions'))
  app.post('/activations', ...endpoint(activating), (c) => toCommand(c, '/activations'))
  app.post('/activations/resend', ...endpoint(resendingTo), resend, (c) =>
    toCommand(c, '/activations/resend'),
  )
  return app
}

function userPath(c: KitContext): string {
  // A dot segment would climb out of /users: as an id it is as unknown as any other.
  const id = (c.req.param('id') ?? '').replace(/^\.+$/, '-')
  return `/users/${encodeURIComponent(id)}`
}

const signingUp = {
  id: 'signUp',
  summary: 'Creates an account',
  description:
    'The answer comes when the event is on the log. With private sign-up it is always 202, whether or not the address has an account.',
  ...accountTag,
  body: signUpRequest,
  idempotent: true,
  answers: {
    201: { description: 'Created; `Location` has its address', schema: answers.withSession },
    202: { description: 'Private sign-up: a mail is on its way', schema: answers.message },
  },
  problems: ['request.invalid', 'append.claimed', 'append.fingerprint', 'request.limited', ...away],
} as const

const reading = {
  id: 'readAccount',
  summary: 'Reads an account of one’s own',
  ...accountTag,
  secured: true,
  answers: { 200: { description: 'The account; `ETag` has its version', schema: answers.account } },
  problems: ['request.unauthorized', 'account.unknown', 'view.behind', 'service.unavailable'],
} as const

const changingAddress = {
  id: 'changeAddress',
  summary: 'Changes the address',
  description:
    'Claims the new address and frees the old one in one step. `If-Match` is honoured, the answer has the new `ETag`.',
  ...accountTag,
  body: changeEmailRequest,
  secured: true,
  idempotent: true,
  answers: { 200: { description: 'Changed, or it was the same', schema: answers.written } },
  problems: [
    'request.invalid',
    'request.unauthorized',
    'account.unknown',
    'append.claimed',
    'append.version',
    ...away,
  ],
} as const

const closing = {
  id: 'closeAccount',
  summary: 'Closes an account and frees its address',
  ...accountTag,
  secured: true,
  idempotent: true,
  answers: { 200: { description: 'Closed', schema: answers.written } },
  problems: ['request.unauthorized', 'account.unknown', ...away],
} as const

const changingPassword = {
  id: 'changePassword',
  summary: 'Changes the password',
  description: 'Ends all sessions of the account; the answer begins a new one.',
  ...accountTag,
  body: changePasswordRequest,
  secured: true,
  idempotent: true,
  answers: { 200: { description: 'Changed', schema: answers.withSession } },
  problems: ['request.invalid', 'request.unauthorized', 'account.unknown', 'request.limited', ...away],
} as const

const resending = {
  id: 'resendLink',
  summary: 'Sends the link to confirm the address once more',
  ...accountTag,
  secured: true,
  answers: {
    202: { description: 'A mail is on its way, or the address is confirmed', schema: answers.message },
  },
  problems: ['request.unauthorized', 'account.unknown', 'request.limited', ...away],
} as const

const signingIn = {
  id: 'signIn',
  summary: 'Begins a session',
  description: 'Takes equal time whether the address is unknown or the password wrong.',
  ...sessionTag,
  body: signInRequest,
  answers: { 200: { description: 'Begun', schema: answers.session } },
  problems: ['request.invalid', 'session.refused', 'request.limited', ...away],
} as const

const activating = {
  id: 'activate',
  summary: 'Confirms an address by the token of its mail',
  ...accountTag,
  body: activateRequest,
  answers: { 200: { description: 'Confirmed, now or before', schema: answers.activated } },
  problems: ['request.invalid', 'link.expired', ...away],
} as const

const resendingTo = {
  id: 'resendLinkTo',
  summary: 'Sends the link to an address once more',
  description: 'Always 202, so that nobody learns who has an account.',
  ...accountTag,
  body: resendRequest,
  answers: {
    202: {
      description: 'If the address waits to be confirmed, a mail is on its way',
      schema: answers.message,
    },
  },
  problems: ['request.invalid', 'request.limited', ...away],
} as const
