import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadSecrets, secretsFile } from './secrets.ts'
import { systemSettings } from './settings.ts'

let home: string
const said: string[] = []
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'millrace-secrets-'))
  said.length = 0
})
afterEach(() => {
  rmSync(home, { recursive: true })
})

const load = (env: Readonly<Record<string, string>> = {}) =>
  loadSecrets(home, systemSettings(env, false), (sentence) => said.push(sentence))
const kept = () => JSON.parse(readFileSync(secretsFile(home), 'utf8')) as Record<string, string>

test('secrets are made once, kept for the owner alone, and found again', () => {
  const first = load()
  expect(new Set(Object.values(first)).size).toBe(8)
  expect(first.UNIQ_KEYRING).toMatch(/^1:[A-Za-z0-9+/]{43}=$/)
  expect(statSync(secretsFile(home)).mode & 0o777).toBe(0o600)
  expect(load()).toEqual(first)
})

test('what the settings give is used and never written down', () => {
  const given = {
    SERVICE_TOKEN: 'a-token-of-one’s-own',
    MILLRACE_SECRET: 'a master secret that is quite long enough',
  }
  expect(load(given)).toMatchObject(given)
  expect(readFileSync(secretsFile(home), 'utf8')).not.toContain('own')
  expect(Object.keys(kept()).toSorted()).toEqual([
    'CONSOLE_TOKEN',
    'CONSOLE_VIEWER_TOKEN',
    'INTAKE_TOKEN',
    'POSTGRES_PASSWORD',
    'REDIS_PASSWORD',
    'UNIQ_KEYRING',
  ])
})

test('two machines with the same master secret agree on the others', () => {
  const MILLRACE_SECRET = 'a master secret that is quite long enough'
  const first = load({ MILLRACE_SECRET })
  rmSync(secretsFile(home))
  const second = load({ MILLRACE_SECRET })
  expect(second).toMatchObject({
    SERVICE_TOKEN: first.SERVICE_TOKEN,
    INTAKE_TOKEN: first.INTAKE_TOKEN,
    UNIQ_KEYRING: first.UNIQ_KEYRING,
  })
  expect(second.REDIS_PASSWORD).not.toBe(first.REDIS_PASSWORD)
})

test('a file that others can read is closed to them, and that is said', () => {
  load()
  chmodSync(secretsFile(home), 0o644)
  load()
  expect(statSync(secretsFile(home)).mode & 0o777).toBe(0o600)
  expect(said).toEqual([`${secretsFile(home)} could be read by others; now it cannot.`])
})

test('a file that is damaged stops the start: new secrets would not fit the data', () => {
  writeFileSync(secretsFile(home), '{"MILLRACE_SECRET":')
  expect(() => load()).toThrow('Bring back the right one')
  writeFileSync(secretsFile(home), '{"MILLRACE_SECRET":""}')
  expect(() => load()).toThrow('must be one JSON object of texts')
})
