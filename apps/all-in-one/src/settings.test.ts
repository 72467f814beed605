import { MillraceError } from '@millrace/event'
import { expect, test } from 'vitest'
import { systemSettings } from './settings.ts'

const keyring = `1:${Buffer.alloc(32).toString('base64')}`

function mistakes(env: Record<string, string>): string {
  try {
    systemSettings(env, false)
    return ''
  } catch (error) {
    if (error instanceof MillraceError) return error.message
    throw error
  }
}

test('a keyring is checked with the other settings, in words of its own and without showing it', () => {
  expect(mistakes({ UNIQ_KEYRING: keyring })).toBe('')
  const said = mistakes({ UNIQ_KEYRING: '1:not-so-secret', UNIQ_PORT: 'x' })
  expect(said).toContain('UNIQ_KEYRING: is wrong: A keyring is version:secret in base64')
  expect(said).toContain('UNIQ_PORT')
  expect(said).not.toContain('not-so-secret')
  expect(mistakes({ UNIQ_KEYRING: `${keyring},${keyring}` })).toContain('names a version twice')
})

test.each([
  'redis://:secret@127.0.0.1:6379/1',
  'rediss://user:secret@redis.example.org',
  'unix:///run/redis/redis.sock',
  'unix://:secret@/run/redis/redis%20one.sock',
  'unix://user:secret@localhost/run/redis/redis.sock',
  '/run/redis/redis.sock',
])('a Redis may be at %s', (address) => {
  expect(mistakes({ REDIS_URL: address })).toBe('')
})

test.each([
  'http://:hunter2@localhost',
  'redis://:hunter2@localhost/first',
  'redis://:hunter2%zz@localhost',
  'unix://:hunter2@var/run/redis.sock',
  'unix://:hunter2@localhost',
])('what is no address of Redis is told without its password', (address) => {
  const said = mistakes({ REDIS_URL: address })
  expect(said).toContain('REDIS_URL: is wrong: The address of Redis is redis://host:port/number')
  expect(said).not.toContain('hunter2')
})
