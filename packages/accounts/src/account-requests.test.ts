import { fieldErrors, type Schema } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { changePasswordRequest, signInRequest, signUpRequest } from './account-requests.ts'

const good = { username: 'Ada', email: 'ada@example.org', password: 'correct horse' }

/** Field → message of what a schema says to a value. */
function faults(schema: Schema, value: unknown): Record<string, string> {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) throw new TypeError('asynchronous')
  return Object.fromEntries(fieldErrors(result.issues ?? []).map(({ field, message }) => [field, message]))
}

describe('a sign-up', () => {
  test('gives what was typed in its normal form', () => {
    const typed = {
      username: '  Ame\u0301lie ',
      email: ' Ada@Exa\u0308mple.org ',
      password: 'pa\u0308sswort',
    }
    expect(signUpRequest.parse(typed)).toEqual({
      username: 'Amélie',
      email: 'Ada@Exämple.org',
      password: 'pässwort',
    })
  })

  test('hears of all its faults at once', () => {
    expect(faults(signUpRequest, { username: ' ', email: 'nowhere', password: 'short' })).toEqual({
      username: 'is needed',
      email: 'The address has no @',
      password: 'has fewer than 8 characters',
    })
    expect(Object.keys(faults(signUpRequest, { username: 7, extra: 1 }))).toEqual(
      expect.arrayContaining(['username', 'email', 'password']),
    )
  })

  test.each([
    ['Ada Lovelace', undefined],
    ['李小龍', undefined],
    ['👩‍🚀', undefined],
    ['x'.repeat(64), undefined],
    ['👍'.repeat(64), undefined],
    ['x'.repeat(65), 'has more than 64 characters'],
    ['a\u0007b', 'holds a control character'],
    ['a\u202eb', 'holds a control character'],
    ['a\nb', 'holds a control character'],
    ['\u200b\u200d', 'has no visible character'],
    ['\ud800', 'holds half of a surrogate pair'],
  ])('with username %j: %s', (username, message) => {
    expect(faults(signUpRequest, { ...good, username })['username']).toBe(message)
  })

  test.each([
    ['12345678', undefined],
    ['👍'.repeat(8), undefined],
    ['x'.repeat(1_024), undefined],
    ['1234567', 'has fewer than 8 characters'],
    ['          ', 'is needed'],
    ['', 'is needed'],
    ['x'.repeat(1_025), 'is longer than 1024 bytes'],
    ['ä'.repeat(600), 'is longer than 1024 bytes'],
  ])('with password %j: %s', (password, message) => {
    expect(faults(signUpRequest, { ...good, password })['password']).toBe(message)
  })

  test('whose password is wrong does not carry it in the fault', () => {
    const result = signUpRequest.safeParse({ ...good, password: 'Geheim' })
    expect(JSON.stringify(result.error?.issues)).not.toContain('Geheim')
  })
})

test('a known password is only bounded: it may be older than the rules', () => {
  expect(faults(signInRequest, { email: 'a@example.org', password: 'old' })).toEqual({})
  expect(faults(signInRequest, { email: 'a@example.org', password: '' })).toEqual({ password: 'is needed' })
  expect(faults(changePasswordRequest, { current: 'x'.repeat(2_000), next: 'short' })).toEqual({
    current: 'is longer than 1024 bytes',
    next: 'has fewer than 8 characters',
  })
})
