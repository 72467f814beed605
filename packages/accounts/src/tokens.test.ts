import { randomBytes } from 'node:crypto'
import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { createActivationLinks } from './activation-links.ts'
import { createSessionTokens } from './session-tokens.ts'

const key = randomBytes(32)
const minute = 60_000

function open(start = Date.parse('2026-03-01T12:00:00.400Z')) {
  let now = start
  const clock = { now: () => now }
  return {
    sessions: createSessionTokens({ key, clock }),
    links: createActivationLinks({ key, clock }),
    pass: (ms: number) => void (now += ms),
  }
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => (error instanceof MillraceError ? `${error.status} ${error.code}` : error),
  )

describe('session tokens', () => {
  test('stand for an account and its password for 15 minutes', async () => {
    const { sessions, pass } = open()
    const { token, expiresAt } = await sessions.issue({ accountId: 'a-1', passwordVersion: 3 })
    expect(expiresAt).toBe('2026-03-01T12:15:00.000Z')
    pass(14 * minute)
    expect(await sessions.verify(token)).toEqual({ accountId: 'a-1', passwordVersion: 3 })
    pass(minute)
    expect(await codeOf(sessions.verify(token))).toBe('401 request.unauthorized')
  })

  test('of another key, another purpose or no key at all are refused', async () => {
    const { sessions, links } = open()
    const other = createSessionTokens({ key: randomBytes(32) })
    const foreign = await other.issue({ accountId: 'a-1', passwordVersion: 1 })
    const link = await links.issue({ accountId: 'a-1', eventId: 'e-1' })
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"a-1"}').toString('base64url')}.`
    for (const token of [foreign.token, link.token, none, '', 'a.b.c', 'x'.repeat(5_000)])
      expect(await codeOf(sessions.verify(token))).toBe('401 request.unauthorized')
  })
})

describe('activation links', () => {
  test('name account and event, not the address, for 48 hours', async () => {
    const { links, pass } = open()
    const { token } = await links.issue({ accountId: 'a-1', eventId: 'e-1' })
    pass(47 * 60 * minute)
    expect(await links.verify(token)).toEqual({ accountId: 'a-1', eventId: 'e-1' })
    pass(60 * minute)
    expect(await codeOf(links.verify(token))).toBe('410 link.expired')
  })

  test('of one event and time are the same to the last character', async () => {
    const { links, pass } = open()
    const atMs = Date.parse('2026-03-01T11:00:00Z')
    const first = await links.issue({ accountId: 'a-1', eventId: 'e-1' }, atMs)
    pass(minute)
    expect(await links.issue({ accountId: 'a-1', eventId: 'e-1' }, atMs)).toEqual(first)
    expect(first.expiresAt).toBe('2026-03-03T11:00:00.000Z')
  })

  test('that are cut, changed or of another purpose are refused with the field', async () => {
    const { sessions, links } = open()
    const { token } = await links.issue({ accountId: 'a-1', eventId: 'e-1' })
    const session = await sessions.issue({ accountId: 'a-1', passwordVersion: 1 })
    for (const wrong of [token.slice(0, -2), `${token}x`, session.token, 'nonsense'])
      expect(await codeOf(links.verify(wrong))).toBe('400 request.invalid')
  })
})

test('a key that is too short is refused at once', () => {
  expect(() => createSessionTokens({ key: randomBytes(16) })).toThrow(TypeError)
})
