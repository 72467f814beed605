import { newEvent } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { type Account, foldAccount } from './account.ts'
import { attemptIsNews, linkMailLimits, linkMailWaitMs } from './account-decisions.ts'
import { type AccountEventType, accounts } from './accounts-topic.ts'

const start = Date.parse('2026-03-01T12:00:00Z')
const minute = 60_000

type Step = readonly [AccountEventType, unknown?]

/** Events of one account, a minute apart. */
function story(...steps: readonly Step[]) {
  return steps.map(([type, data], at) =>
    newEvent(accounts, {
      type,
      key: 'a-1',
      data: data ?? {},
      time: new Date(start + at * minute).toISOString(),
    }),
  )
}

const created = [
  'AccountCreated',
  { username: 'Ada', email: 'ada@example.org', passwordHash: '$h1' },
] as const
const account = (...steps: readonly Step[]): Account => {
  const folded = foldAccount(story(created, ...steps))
  if (!folded) throw new Error('there is no account')
  return folded
}

describe('an account', () => {
  test('begins pending, with what was typed', () => {
    expect(account()).toEqual({
      id: 'a-1',
      state: 'pending',
      username: 'Ada',
      email: 'ada@example.org',
      passwordHash: '$h1',
      passwordVersion: 1,
      createdAt: '2026-03-01T12:00:00.000Z',
      version: 1,
      linkMailsAtMs: [start],
      lastAttempt: undefined,
    })
    expect(foldAccount([])).toBeUndefined()
  })

  test('is active once its present address is confirmed, and pending again with another one', () => {
    const confirmed = ['AccountActivated', { email: 'ada@example.org' }] as const
    expect(account(confirmed).state).toBe('active')
    expect(account(['AccountActivated', { email: 'other@example.org' }]).state).toBe('pending')
    const moved = account(confirmed, ['EmailChanged', { email: 'new@example.org' }])
    expect(moved).toMatchObject({ state: 'pending', email: 'new@example.org', version: 3 })
  })

  test('remembers since which version its password holds', () => {
    const changed = account(
      ['ActivationRequested', { email: 'ada@example.org' }],
      ['PasswordChanged', { passwordHash: '$h2' }],
    )
    expect(changed).toMatchObject({ passwordHash: '$h2', passwordVersion: 3 })
  })

  test('stays closed whatever comes after', () => {
    const closed = account(
      ['AccountClosed'],
      ['AccountActivated', { email: 'ada@example.org' }],
      ['EmailChanged', { email: 'late@example.org' }],
    )
    expect(closed).toMatchObject({ state: 'closed', email: 'ada@example.org', version: 4 })
  })

  test('remembers a bounded number of link mails', () => {
    const many = Array.from(
      { length: 40 },
      () => ['ActivationRequested', { email: 'ada@example.org' }] as const,
    )
    expect(account(...many).linkMailsAtMs).toHaveLength(16)
  })
})

describe('limits that the history decides', () => {
  test('a link may be asked for a minute after the last one, and five times a day', () => {
    expect(linkMailWaitMs(account(), start, linkMailLimits)).toBe(minute)
    expect(linkMailWaitMs(account(), start + minute, linkMailLimits)).toBe(0)
    const asked = ['ActivationRequested', { email: 'ada@example.org' }] as const
    const five = account(asked, asked, asked, asked)
    expect(linkMailWaitMs(five, start + 5 * minute, linkMailLimits)).toBe(86_400_000 - 5 * minute)
    expect(linkMailWaitMs(five, start + 86_400_000, linkMailLimits)).toBe(0)
  })

  test('an attempt is news once an hour', () => {
    expect(attemptIsNews(account(), start)).toBe(true)
    const attempted = account(['SignUpAttempted', { email: 'ada@example.org' }])
    expect(attemptIsNews(attempted, start + 60 * minute)).toBe(false)
    expect(attemptIsNews(attempted, start + 61 * minute)).toBe(true)
  })
})
