import { MillraceError } from '@millrace/event'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testSeed } from '../../../test/support/random.ts'
import { bytes, choice, durationMs, list, port, secret, text, url } from './setting-fields.ts'
import { type Environment, readSettings } from './settings.ts'

const seed = testSeed()

const schema = z.object({
  HOST: text({ example: '127.0.0.1' }).default('127.0.0.1'),
  GATEWAY_PORT: port(3_000),
  REDIS_URL: url(['redis', 'rediss'], 'redis://127.0.0.1:6379').optional(),
  REQUEST_TIMEOUT: durationMs(5_000),
  BODY_LIMIT: bytes(65_536),
  SERVICE_TOKEN: secret(),
  LOG_LEVEL: choice(['debug', 'info', 'warn'], 'info'),
  ALLOWED_ORIGINS: list('https://a.example,https://b.example'),
  MILLRACE_HOME: text({ example: '.millrace' }).default('.millrace'),
})

const good = { SERVICE_TOKEN: 'a-token-of-20-letters' }

function mistakes(env: Environment): MillraceError {
  try {
    readSettings(schema, env)
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  throw new Error('no mistake was found')
}

describe('readSettings', () => {
  it('fills in the defaults, and an empty variable counts as absent', () => {
    expect(readSettings(schema, { ...good, GATEWAY_PORT: '', LOG_LEVEL: '  ' })).toEqual({
      HOST: '127.0.0.1',
      GATEWAY_PORT: 3_000,
      REQUEST_TIMEOUT: 5_000,
      BODY_LIMIT: 65_536,
      SERVICE_TOKEN: 'a-token-of-20-letters',
      LOG_LEVEL: 'info',
      ALLOWED_ORIGINS: [],
      MILLRACE_HOME: '.millrace',
    })
  })

  it.each([
    ['REQUEST_TIMEOUT', '250', 250],
    ['REQUEST_TIMEOUT', '250ms', 250],
    ['REQUEST_TIMEOUT', '1.5s', 1_500],
    ['REQUEST_TIMEOUT', '2 m', 120_000],
    ['BODY_LIMIT', '1000', 1_000],
    ['BODY_LIMIT', '64KiB', 65_536],
    ['BODY_LIMIT', '10MB', 10_000_000],
    ['GATEWAY_PORT', '0', 0],
    [
      'ALLOWED_ORIGINS',
      ' https://a.example , https://b.example,',
      ['https://a.example', 'https://b.example'],
    ],
    ['REDIS_URL', 'rediss://:pw@r.example:6380/1', 'rediss://:pw@r.example:6380/1'],
  ] as const)('reads %s=%j as %j', (name, value, expected) => {
    expect(readSettings(schema, { ...good, [name]: value })[name]).toEqual(expected)
  })

  it('reports all mistakes at once, each with its variable, what is wrong and an example', () => {
    const error = mistakes({
      GATEWAY_PORT: '70000',
      REDIS_URL: 'http://user:pa55word@host',
      REQUEST_TIMEOUT: 'soon',
      SERVICE_TOKEN: 'short-secret',
      LOG_LEVEL: 'loud',
      MILLRACE_HOEM: '/data',
    })
    expect(error.code).toBe('settings.invalid')
    expect(error.message).toBe(
      [
        '6 settings are wrong:',
        '  GATEWAY_PORT: must be a port from 0 to 65535, not "70000" (example: GATEWAY_PORT=3000)',
        '  REDIS_URL: must be a URL with redis:// or rediss:// (example: REDIS_URL=redis://127.0.0.1:6379)',
        '  REQUEST_TIMEOUT: must be a span of time such as 500ms, 2s, 5m or 1h, not "soon" (example: REQUEST_TIMEOUT=2s)',
        '  SERVICE_TOKEN: must have at least 16 characters (example: SERVICE_TOKEN=<a long random text>)',
        '  LOG_LEVEL: must be debug, info or warn, not "loud" (example: LOG_LEVEL=info)',
        '  MILLRACE_HOEM: is not known; did you mean MILLRACE_HOME?',
      ].join('\n'),
    )
    expect(error.errors.map(({ field }) => field)).toContain('LOG_LEVEL')
  })

  it('says which variable is missing', () => {
    expect(mistakes({}).message).toBe(
      'One setting is wrong:\n  SERVICE_TOKEN: is missing (example: SERVICE_TOKEN=<a long random text>)',
    )
  })

  it(`never shows what a secret or a URL holds (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9!%_]{8,15}$/), (value) => {
        const { message } = mistakes({ SERVICE_TOKEN: value, REDIS_URL: `http://:${value}@host` })
        expect(message).not.toContain(value)
      }),
      { seed },
    )
  })

  it.each([
    ['GATEWAY_PROT', 'GATEWAY_PORT'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['redis_url', 'REDIS_URL'],
    ['REDIS_URI', 'REDIS_URL'],
    ['SERVICE_TOKENS', 'SERVICE_TOKEN'],
  ])('suggests %s → %s', (wrong, right) => {
    expect(mistakes({ ...(right === 'SERVICE_TOKEN' ? {} : good), [wrong]: 'x' }).message).toContain(
      `${wrong}: is not known; did you mean ${right}?`,
    )
  })

  it('takes no offence at what belongs to others', () => {
    const env = {
      ...good,
      HOME: '/root',
      HOSTNAME: 'h',
      PORT: '1',
      SMTP_URL: 'x',
      PATH: '/bin',
      MILLRACE_SECRET: 'x',
    }
    const settings = readSettings(schema, env, { knownElsewhere: ['MILLRACE_SECRET', 'SMTP_URL'] })
    expect(settings.GATEWAY_PORT).toBe(3_000)
  })

  it('refuses an unknown name with the prefix of Millrace', () => {
    expect(mistakes({ ...good, MILLRACE_TURBO: '1' }).message).toContain('MILLRACE_TURBO: is not known')
  })
})
