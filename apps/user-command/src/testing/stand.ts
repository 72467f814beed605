import { AsyncLocalStorage } from 'node:async_hooks'
import {
  accountConstraints,
  accounts,
  createActivationLinks,
  createSessionTokens,
  foldAccount,
} from '@millrace/accounts'
import type { HttpAppOptions } from '@millrace/hono'
import { createMemoryLog } from '@millrace/log'
import { createKeyring, createUniq } from '@millrace/uniq'
import { createPasswords, type Passwords } from '../passwords.ts'
import type { UniqClient } from '../uniq-client.ts'
import { createUserCommand, type UserCommandOptions } from '../user-command.ts'
import { uniqInMemory } from './uniq-in-memory.ts'

/** What a test may set; everything else is in memory and cheap. */
export interface StandOptions extends Partial<
  Pick<UserCommandOptions, 'privacy' | 'usernames' | 'limits' | 'passwords'>
> {
  /** Puts something between user-command and Uniq. */
  readonly around?: (uniq: UniqClient) => UniqClient
  /** Puts something before the passwords. */
  readonly aroundPasswords?: (passwords: Passwords) => Passwords
}

const storage = new AsyncLocalStorage<{ correlationId: string }>()

/** A line of the log that was written. */
export interface Line {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/** Where everything of an HTTP app goes in tests; the lines are kept to be looked at. */
export function quietHttp(lines: Line[] = []): HttpAppOptions {
  const write = (message: string, fields?: Line['fields']) => void lines.push({ message, fields })
  return {
    logger: { debug: write, info: write, warn: write, error: write },
    context: { run: (ids, fn) => storage.run(ids, fn), current: () => storage.getStore() },
  }
}

/** An answer, read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

/** Buckets that never run dry. */
const generous = { burst: 1_000_000, perSecond: 1_000_000 }

/** user-command on an in-memory log, with a clock that the test turns. */
export function openStand(options: StandOptions = {}) {
  let nowMs = Date.parse('2026-03-01T12:00:00Z')
  const clock = { now: () => nowMs }
  const log = createMemoryLog({ clock })
  const keyring = createKeyring([{ version: '1', secret: Buffer.alloc(32, 1), normaliser: 1 }])
  const constraints = accountConstraints(
    options.usernames === undefined ? {} : { usernames: options.usernames },
  )
  const guard = createUniq({ log, topic: accounts, constraints, keyring })
  const plain = uniqInMemory(guard)
  const passwords = options.passwords ?? createPasswords({ cost: 'cheap', waiting: 1_000 })
  const links = createActivationLinks({ key: Buffer.alloc(32, 2), clock })
  const lines: Line[] = []
  const app = createUserCommand({
    uniq: options.around?.(plain) ?? plain,
    log,
    passwords: options.aroundPasswords?.(passwords) ?? passwords,
    sessions: createSessionTokens({ key: Buffer.alloc(32, 3), clock }),
    links,
    idempotencySecret: Buffer.alloc(32, 4),
    http: quietHttp(lines),
    clock,
    ...(options.privacy === undefined ? {} : { privacy: options.privacy }),
    ...(options.usernames === undefined ? {} : { usernames: options.usernames }),
    limits: {
      signIns: generous,
      resends: generous,
      changes: generous,
      passwordChanges: generous,
      answerFloorMs: 0,
      ...options.limits,
    },
  })
  const send = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const answer = await app.request(path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    const parsed: unknown = text === '' ? {} : JSON.parse(text)
    return { status: answer.status, headers: answer.headers, body: { ...(parsed as object) } }
  }
  return {
    app,
    log,
    guard,
    plain,
    links,
    lines,
    send,
    /** Turns the clock. */
    pass: (ms: number) => void (nowMs += ms),
    /** All events, in the order of their keys' partitions. */
    events: async () =>
      [...(await log.read(accounts, everything, { limit: 100_000 })).values()]
        .flat()
        .map(({ event }) => event),
    account: async (id: string) =>
      foldAccount((await log.readKey(accounts, id, { limit: 100_000 })).events.map(({ event }) => event)),
  }
}

const everything = new Map(Array.from({ length: accounts.partitions }, (_unused, at) => [at, '0-0']))

/** Lets something happen just before the next append of one event type: between a reading and its writing. */
export function meetingBefore(type: string) {
  let meet: (() => Promise<unknown>) | undefined
  return {
    /** For {@link StandOptions.around}. */
    around: (uniq: UniqClient): UniqClient => ({
      ...uniq,
      append: async (action, event, options) => {
        const first = event.type === type ? meet : undefined
        if (first) meet = undefined
        await first?.()
        return uniq.append(action, event, options)
      },
    }),
    set: (what: () => Promise<unknown>) => void (meet = what),
  }
}

/** A body for `POST /users`. */
export const ada = { username: 'Ada', email: 'ada@example.org', password: 'correct horse battery' }

/** The header of a session. */
export function bearer(token: unknown): Record<string, string> {
  return { authorization: `Bearer ${String(token)}` }
}
