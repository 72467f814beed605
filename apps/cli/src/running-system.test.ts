import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseOf, findService } from './running-system.ts'

const home = mkdtempSync(path.join(tmpdir(), 'millrace-running-'))
beforeAll(() => writeFileSync(path.join(home, 'secrets.json'), '{"SERVICE_TOKEN":"kept"}'))
afterAll(() => rmSync(home, { recursive: true }))

test.each([
  ['of a system on this machine', {}, { url: 'http://127.0.0.1:3008', token: 'kept' }],
  ['on another port', { LEGACY_LEADS_PORT: '4008' }, { url: 'http://127.0.0.1:4008', token: 'kept' }],
  [
    'elsewhere, with a token of its own',
    { LEGACY_LEADS_URL: 'https://legacy.example/', SERVICE_TOKEN: 'given' },
    { url: 'https://legacy.example', token: 'given' },
  ],
])('a service is found %s', (_, env, found) => {
  expect(findService({ MILLRACE_HOME: home, ...env }, 'LEGACY_LEADS', 3_008)).toEqual(found)
})

test('an address that is none is a mistake in the settings', () => {
  expect(() => findService({ LEGACY_LEADS_URL: 'legacy:3008' }, 'LEGACY_LEADS', 3_008)).toThrow(
    'LEGACY_LEADS_URL must be an address',
  )
  expect(() => findService({ LEGACY_LEADS_PORT: 'http' }, 'LEGACY_LEADS', 3_008)).toThrow(
    'LEGACY_LEADS_PORT must be the number of a port',
  )
})

test.each(['postgres://ada:hunter2@host:port/db', 'mysql://ada:hunter2@host/db'])(
  'what is no address of a database is refused without its password',
  (databaseUrl) => {
    let told: unknown
    try {
      databaseOf({ databaseUrl })
    } catch (error) {
      told = error
    }
    expect(told).toMatchObject({ code: 'settings.invalid' })
    expect(inspect(told)).not.toContain('hunter2')
  },
)
