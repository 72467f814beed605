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
