import { accounts, type Session, type SessionTokens } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import { bearerToken, httpApp, type HttpAppOptions, queryFields, timeLimit } from '@millrace/hono'
import { type EventLog, parsePosition, type Position } from '@millrace/log'
import {
  type ConsumerEvent,
  type ConsumerHealth,
  followView,
  type GroupStore,
  type MemberList,
  type Running,
} from '@millrace/processor'
import type { RetryClock } from '@millrace/retry'
import { CheckpointWatch, type ViewStore } from '@millrace/view'
import { z } from 'zod'
import type { AccountRow, AccountRows } from './account-rows.ts'
import { accountView } from './account-view.ts'

/** What {@link createUserQuery} needs. */
export interface UserQueryOptions {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'appendChannel' | 'channel'>
  readonly groups: GroupStore
  readonly view: ViewStore<AccountRows>
  readonly sessions: Pick<SessionTokens, 'verify'>
  /** Bearer tokens of the services that may read statistics. Empty: nobody may. */
  readonly tokens: readonly string[]
  readonly http: HttpAppOptions
  /** The list by which several instances share the work. Default: none; who asks first for a free partition has it. */
  readonly members?: MemberList
  /** What this instance is called in the group's records. */
  readonly member?: string
  /** Makes the part of that name which nobody else has. Default: a fresh id. */
  readonly freshName?: () => string
  /** Says when parked accounts are due. Its owner closes it, after the stop. */
  readonly retryClock?: RetryClock
  /** Hears of lag, progress and failures; must not throw. */
  readonly observe?: (event: ConsumerEvent) => void
  /** How long a crash of an instance holds its partitions up, in ms. Default 15,000. */
  readonly leaseMs?: number
  /** How long a read with `after` waits, in ms. Default 5,000. */
  readonly waitMs?: number
}

/** The service: its HTTP interface, and the loop behind it. */
export interface UserQuery {
  readonly app: ReturnType<typeof httpApp>
  /** Makes the view's tables where they are missing, and begins to follow the log. */
  start(): Promise<void>
  stop(): Promise<void>
  health(): ConsumerHealth
}

const readQuery = z.object({ after: z.string().max(200).optional() })
const statsQuery = z.object({
  by: z.enum(['day', 'host']),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
})

/**
 * The service that owns the read model of users. `GET /users/:id?after=` answers one's own account; `GET
 * /stats/sign-ups?by=day|host` how many signed up.
 */
export function createUserQuery(options: UserQueryOptions): UserQuery {
  const waitMs = options.waitMs ?? 5_000
  const watch = new CheckpointWatch(options.view)
  const app = httpApp(options.http)
  app.use(timeLimit(waitMs + 1_500))
  let following: Promise<Running> | undefined
  let running: Running | undefined

  app.get('/users/:id', queryFields(readQuery), async (c) => {
    const session = await sessionOf(options.sessions, c.req.header('authorization'))
    const id = c.req.param('id')
    if (session.accountId !== id) throw new MillraceError('account.unknown')
    const { after } = c.req.valid('query')
    if (after !== undefined) await watch.reached(accountPosition(after), waitMs, id)
    const row = ownRow(await options.view.read((rows) => rows.get(id)), session)
    c.header('ETag', `"${row.version}"`)
    c.header('Cache-Control', 'no-store')
    const { username, email, activated, createdAt, version } = row
    return c.json({ id, username, email, activated, createdAt, version })
  })

  app.get('/stats/sign-ups', bearerToken({ tokens: options.tokens }), queryFields(statsQuery), async (c) => {
    const { by, limit } = c.req.valid('query')
    const counts = await options.view.read((rows) => rows.signUps(by, limit))
    return c.json({ by, counts: counts.map(({ of, count }) => ({ [by]: of, count })) })
  })

  return {
    app,
    start: async () => {
      await options.view.prepare()
      const { groups: store, view: data } = options
      running = await (following ??= followView({ ...options, store, view: accountView, data }))
    },
    stop: async () => {
      watch.stop()
      await (await following)?.stop()
    },
    health: () => running?.health() ?? notStarted,
  }
}

const notStarted: ConsumerHealth = {
  state: 'down',
  message: 'has not started',
  paused: false,
  partitions: [],
}

async function sessionOf(
  sessions: Pick<SessionTokens, 'verify'>,
  header: string | undefined,
): Promise<Session> {
  const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(header ?? '')?.[1]
  if (token === undefined) throw new MillraceError('request.unauthorized', 'A bearer token is needed')
  return sessions.verify(token)
}

function accountPosition(text: string): Position {
  const position = parsePosition(text)
  if (position.topic !== accounts.name || position.partition >= accounts.partitions)
    throw new MillraceError('position.invalid', `The position is none of the topic ${accounts.name}`)
  return position
}

/** The row of a session's account. The view may be behind the session, which then is of a newer password. */
function ownRow(row: AccountRow | undefined, session: Session): AccountRow {
  if (!row || row.closed) throw new MillraceError('account.unknown')
  if (session.passwordVersion < row.passwordVersion)
    throw new MillraceError('request.unauthorized', 'The password was changed; sign in again')
  return row
}
