import { expect, test } from 'vitest'
import { smtpServerOf } from './smtp-url.ts'

test.each([
  ['smtp://localhost', { host: 'localhost', port: 587, secure: false, requireTls: false }],
  ['smtp://127.0.0.1:2525', { host: '127.0.0.1', port: 2525, secure: false, requireTls: false }],
  ['smtps://mail.test', { host: 'mail.test', port: 465, secure: true, requireTls: false }],
  ['smtp://[::1]:25', { host: '::1', port: 25, secure: false, requireTls: false }],
  ['smtp://mail.test?requireTLS=true', { host: 'mail.test', port: 587, secure: false, requireTls: true }],
])('%s is read', (url, server) => {
  expect(smtpServerOf(url)).toEqual(server)
})

test('user and password are decoded, and never sent in the clear to another machine', () => {
  const auth = { user: 'a@b.test', pass: 'p:/@ü' }
  const login = `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.pass)}`
  expect(smtpServerOf(`smtps://${login}@mail.test`)).toMatchObject({ auth, secure: true })
  expect(smtpServerOf(`smtp://${login}@mail.test`)).toMatchObject({ auth, requireTls: true })
  expect(smtpServerOf(`smtp://${login}@127.0.0.1`)).toMatchObject({ auth, requireTls: false })
})

test.each([
  '',
  'mail.test',
  'http://mail.test',
  'smtp://',
  'smtp://u:%zz@mail.test',
  'smtp://h?requireTLS=maybe',
])('%j is refused in one sentence without the password', (url) => {
  expect(() => smtpServerOf(url)).toThrow(TypeError)
  expect(() => smtpServerOf(url)).not.toThrow('%zz')
})
