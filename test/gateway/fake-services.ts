import { MillraceError } from '@millrace/event'
import { type ContextStore, httpApp, type KitContext, type KitEnv, readJson } from '@millrace/hono'
import type { Hono } from 'hono'

/** An account of the double. */
export interface FakeAccount {
  readonly id: string
  username: string
  email: string
  password: string
  activated: boolean
  closed: boolean
  version: number
  readonly createdAt: string
}

/** What a test turns. */
export interface FakeFaults {
  /** Answer nothing at all before this. */
  hangUntil?: Promise<void>
  /** Throw this instead of answering. */
  fail?: MillraceError
}

/** user-command and user-query in memory: they follow their contract as far as the gateway can tell. */
export interface FakeServices {
  readonly command: Hono<KitEnv>
  readonly query: Hono<KitEnv>
  readonly accounts: Map<string, FakeAccount>
  /** Tokens of the mails that were sent, newest last. */
  readonly mails: { readonly to: string; readonly token: string }[]
  readonly faults: { command: FakeFaults; query: FakeFaults }
  /** Requests that arrived, as `POST /users`, with the position that they wait for. */
  readonly seen: { readonly call: string; readonly after: string | undefined; readonly body: unknown }[]
}

/** Makes the doubles. */
export function fakeServices(options: { privateSignUp?: boolean } = {}): FakeServices {
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  const context: ContextStore = { run: (_ids, fn) => fn(), current: () => undefined }
  const state: FakeServices = {
    command: httpApp({ logger, context }),
    query: httpApp({ logger, context }),
    accounts: new Map(),
    mails: [],
    faults: { command: {}, query: {} },
    seen: [],
  }
  const repeats = new Map<string, { body: string; answer: object }>()
  watch(state, 'command')
  watch(state, 'query')
  const { command, query, accounts } = state

  command.post('/users', async (c) => {
    const body = fields(await readJson(c), ['username', 'email', 'password'])
    const key = c.req.header('idempotency-key')
    const known = key === undefined ? undefined : repeats.get(key)
    if (known && known.body !== JSON.stringify(body)) throw new MillraceError('append.fingerprint')
    if (known) return c.json(known.answer, 201)
    const owner = byEmail(state, body['email'] ?? '')
    if (options.privateSignUp === true) {
      if (!owner) create(state, body)
      return c.json({ message: 'A mail is on its way' }, 202)
    }
    if (owner)
      throw new MillraceError('append.claimed', 'The address is taken', {
        details: { constraint: 'email', field: 'email' },
      })
    const account = create(state, body)
    const answer = {
      id: account.id,
      position: positionOf(account),
      correlationId: c.get('correlationId'),
      ...session(account),
    }
    if (key !== undefined) repeats.set(key, { body: JSON.stringify(body), answer })
    return c.json(answer, 201, { Location: `http://user-command.internal/users/${account.id}` })
  })

  command.post('/sessions', async (c) => {
    const { email = '', password } = fields(await readJson(c), ['email', 'password'])
    const account = byEmail(state, email)
    if (!account || account.password !== password) throw new MillraceError('request.unauthorized')
    return c.json({ ...session(account), account: { id: account.id, activated: account.activated } })
  })

  command.patch('/users/:id', async (c) => {
    const account = owned(state, c)
    const { email = '' } = fields(await readJson(c), ['email'])
    const tag = c.req.header('if-match')
    if (tag !== undefined && tag !== `"${account.version}"`) throw new MillraceError('append.version')
    const owner = byEmail(state, email)
    if (owner && owner !== account)
      throw new MillraceError('append.claimed', undefined, {
        details: { constraint: 'email', field: 'email' },
      })
    if (!owner) {
      account.email = email.trim()
      account.activated = false
      account.version += 1
      mail(state, account)
    }
    return c.json(
      { id: account.id, position: positionOf(account), correlationId: c.get('correlationId') },
      200,
      {
        ETag: `"${account.version}"`,
      },
    )
  })

  command.post('/users/:id/password', async (c) => {
    const account = owned(state, c)
    const { current, next = '' } = fields(await readJson(c), ['current', 'next'])
    if (current !== account.password)
      throw new MillraceError('request.invalid', 'current: is not correct', {
        errors: [{ field: 'current', message: 'is not correct' }],
      })
    account.password = next
    account.version += 1
    return c.json({ position: positionOf(account), ...session(account) })
  })

  command.delete('/users/:id', (c) => {
    const account = owned(state, c)
    account.closed = true
    account.version += 1
    return c.json({ position: positionOf(account) })
  })

  command.post('/users/:id/activation', (c) => {
    mail(state, owned(state, c))
    return c.body(null, 202)
  })

  command.post('/activations', async (c) => {
    const { token = '' } = fields(await readJson(c), ['token'])
    const [, id = '', email] = Buffer.from(token.split('.')[1] ?? '', 'base64url')
      .toString()
      .split(' ')
    const account = accounts.get(id)
    if (!account)
      throw new MillraceError('request.invalid', 'token: is not the token of a link', {
        errors: [{ field: 'token', message: 'is not the token of a link' }],
      })
    if (account.email !== email) throw new MillraceError('log.trimmed', 'The link has expired')
    const already = account.activated
    account.activated = true
    account.version += already ? 0 : 1
    return c.json({ id, position: positionOf(account), ...(already ? { already } : {}) })
  })

  command.post('/activations/resend', async (c) => {
    const { email = '' } = fields(await readJson(c), ['email'])
    const account = byEmail(state, email)
    if (account) mail(state, account)
    return c.body(null, 202)
  })

  query.get('/users/:id', (c) => {
    if (!/^accounts\/\d+\/\d+-\d+$/.test(c.req.query('after') ?? 'accounts/0/0-0'))
      throw new MillraceError('position.invalid')
    const { id, username, email, activated, createdAt, version } = owned(state, c)
    return c.json({ id, username, email, activated, createdAt, version }, 200, { ETag: `"${version}"` })
  })
  return state
}

function ignore(): void {
  // Nobody reads the log of a double.
}

function watch(state: FakeServices, name: 'command' | 'query'): void {
  state[name].use(async (c, next) => {
    const { method, path } = c.req
    const text = method === 'GET' || method === 'DELETE' ? '' : await c.req.raw.clone().text()
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    state.seen.push({ call: `${method} ${path}`, after: c.req.query('after'), body })
    const { hangUntil, fail } = state.faults[name]
    await hangUntil
    if (fail) throw fail
    await next()
  })
}

function create(state: FakeServices, body: Readonly<Record<string, string>>): FakeAccount {
  const account: FakeAccount = {
    id: crypto.randomUUID(),
    username: body['username'] ?? '',
    email: (body['email'] ?? '').trim(),
    password: body['password'] ?? '',
    activated: false,
    closed: false,
    version: 1,
    createdAt: '2026-11-21T10:00:00.000Z',
  }
  state.accounts.set(account.id, account)
  mail(state, account)
  return account
}

function mail(state: FakeServices, account: FakeAccount): void {
  const claims = Buffer.from(`link ${account.id} ${account.email}`).toString('base64url')
  state.mails.push({ to: account.email, token: `head.${claims}.tail` })
}

function fields(value: unknown, names: readonly string[]): Readonly<Record<string, string>> {
  const given = value as Readonly<Record<string, unknown>>
  const errors = names.flatMap((field) => {
    const text = given[field]
    if (typeof text !== 'string' || text.trim() === '') return [{ field, message: 'is needed' }]
    if (field === 'email' && !text.includes('@')) return [{ field, message: 'The address has no @' }]
    return []
  })
  if (errors.length > 0) throw new MillraceError('request.invalid', 'Some fields are wrong', { errors })
  return given as Readonly<Record<string, string>>
}

function byEmail(state: FakeServices, email: string): FakeAccount | undefined {
  const normal = email.trim().toLowerCase()
  return [...state.accounts.values()].find((one) => !one.closed && one.email.toLowerCase() === normal)
}

function owned(state: FakeServices, c: KitContext): FakeAccount {
  const token = /^Bearer session\.([\w-]+)\.(\d+)$/.exec(c.req.header('authorization') ?? '')
  const account = state.accounts.get(token?.[1] ?? '')
  if (!account) throw new MillraceError('request.unauthorized')
  if (account.closed || account.id !== c.req.param('id')) throw new MillraceError('route.unknown')
  return account
}

function session(account: FakeAccount): { token: string; expiresAt: string } {
  return { token: `session.${account.id}.1`, expiresAt: new Date(Date.now() + 900_000).toISOString() }
}

function positionOf(account: FakeAccount): string {
  return `accounts/0/1700000000000-${account.version}`
}
