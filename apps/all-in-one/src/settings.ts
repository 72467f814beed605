import { MillraceError } from '@millrace/event'
import { serverOf } from '@millrace/redis/address'
import {
  choice,
  type Environment,
  list,
  logLevels,
  port,
  readSettings,
  secret,
  text,
  url,
} from '@millrace/service'
import { samplerNames } from '@millrace/telemetry/sampler'
import { readKeyring } from '@millrace/uniq'
import { z } from 'zod'

const shape = {
  HOST: text({
    example: '127.0.0.1',
    pattern: /^[\w.:-]+$/,
    what: 'must be a host name or an address',
  }).default('127.0.0.1'),
  GATEWAY_PORT: port(3000),
  UNIQ_PORT: port(3001),
  OPS_PORT: port(3002),
  INBOX_PORT: port(3003),
  USER_COMMAND_PORT: port(3004),
  USER_QUERY_PORT: port(3005),
  MAIL_PORT: port(3006),
  LEADS_PORT: port(3007),
  LEGACY_LEADS_PORT: port(3008),
  PURCHASING_PORT: port(3009),
  RESTOCKING_PORT: port(3010),
  PLANNER_PORT: port(3011),
  MILLRACE_HOME: text({ example: '.millrace' }).default('.millrace'),
  REDIS_URL: secret({
    minLength: 1,
    example: 'redis://:password@127.0.0.1:6379',
    mistake: (text) => mistakeOfRedis(text),
  }).optional(),
  DATABASE_URL: url(
    ['postgres', 'postgresql'],
    'postgres://user:password@127.0.0.1:5432/millrace',
  ).optional(),
  SMTP_URL: url(['smtp', 'smtps', 'https'], 'smtps://user:password@mail.example.org').optional(),
  USER_COMMAND_URL: url(['http', 'https'], 'http://127.0.0.1:3004').optional(),
  UNIQ_URL: url(['http', 'https'], 'http://127.0.0.1:3001').optional(),
  USER_QUERY_URL: url(['http', 'https'], 'http://127.0.0.1:3005').optional(),
  LEGACY_LEADS_URL: url(['http', 'https'], 'http://127.0.0.1:3008').optional(),
  PURCHASING_URL: url(['http', 'https'], 'http://127.0.0.1:3009').optional(),
  RESTOCKING_URL: url(['http', 'https'], 'http://127.0.0.1:3010').optional(),
  PURCHASING_SEED: choice(['small', 'large', 'none'], 'small'),
  LEADS_LEGACY: choice(['on', 'off'], 'on'),
  LEADS_SHADOW: choice(['on', 'off'], 'off'),
  SERVICE_TOKEN: secret().optional(),
  INTAKE_TOKEN: secret().optional(),
  CONSOLE_TOKEN: secret().optional(),
  CONSOLE_VIEWER_TOKEN: secret().optional(),
  MILLRACE_SECRET: secret({ minLength: 32 }).optional(),
  UNIQ_KEYRING: secret({
    example: '1:<base64 of 32 random bytes>',
    mistake: (text) => mistakeOfKeyring(text),
  }).optional(),
  UNIQ_CONSTRAINTS: text({ example: 'constraints.json' }).optional(),
  CDC_PIPELINES: text({ example: 'pipelines.yaml' }).optional(),
  PUBLIC_URL: url(['http', 'https'], 'https://accounts.example.org').optional(),
  LOG_LEVEL: choice(logLevels, 'info'),
  SIGNUP_PRIVACY: choice(['open', 'private'], 'open'),
  CLIENT_LIMITS: choice(['on', 'off'], 'on'),
  CORS_ORIGINS: list('https://www.example.org'),
  MAIL_NAME: text({ example: 'Example Shop' }).default('Millrace'),
  MAIL_FROM: text({
    example: 'accounts@example.org',
    pattern: /^[^\s@<>]+@[^\s@<>]+$/,
    what: 'must be a bare address',
  }).default('accounts@millrace.example'),
  PASSWORD_COST: choice(['default', 'cheap'], 'default'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['http', 'https'], 'http://127.0.0.1:4318').optional(),
  OTEL_EXPORTER_OTLP_HEADERS: secret({
    minLength: 1,
    example: 'authorization=Bearer <token>',
    mistake: (text) => (headersIn(text) === undefined ? 'must be name=value, comma separated' : undefined),
  }).optional(),
  OTEL_TRACES_SAMPLER: choice(samplerNames, 'parentbased_traceidratio'),
  OTEL_TRACES_SAMPLER_ARG: text({
    example: '0.01',
    pattern: /^(?:0(?:\.\d+)?|1(?:\.0+)?)$/,
    what: 'must be a share from 0 to 1',
  }).default('1'),
  OTEL_SERVICE_NAME: text({ example: 'millrace' }).optional(),
}

const forTerminal = z.object({ ...shape, LOG_FORMAT: choice(['json', 'pretty'], 'pretty') })
const forMachines = z.object({ ...shape, LOG_FORMAT: choice(['json', 'pretty'], 'json') })

/** The settings of the whole system, checked; see docs/settings.md. */
export type Settings = z.output<typeof forTerminal>

/** The names of the settings that are ports. */
export type PortSetting = Extract<keyof Settings, `${string}_PORT`>

/**
 * Reads the settings; `terminal` tells whether a person reads the log.
 *
 * @throws MillraceError `settings.invalid` with every mistake
 */
export function systemSettings(env: Environment, terminal: boolean): Settings {
  // Set by the tools around the system, not by the person who sets it up.
  const knownElsewhere = ['MILLRACE_PARENT_PID', 'MILLRACE_TEST_REPORT']
  return readSettings(terminal ? forTerminal : forMachines, env, { knownElsewhere })
}

/** Headers as OTEL_EXPORTER_OTLP_HEADERS has them (`name=value`, comma separated, values percent-encoded or not). */
export function headersIn(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text
    .split(',')
    .map((pair) => /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x20-\x7e]*?)\s*$/.exec(pair))
  if (!pairs.every((pair) => pair !== null)) return undefined
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, decoded(value)]))
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch (error) {
    if (error instanceof URIError) return value
    throw error
  }
}

function mistakeOfRedis(text: string): string | undefined {
  try {
    serverOf(text)
    return undefined
  } catch (error) {
    if (error instanceof TypeError) return `is wrong: ${error.message}`
    throw error
  }
}

function mistakeOfKeyring(text: string): string | undefined {
  try {
    readKeyring(text)
    return undefined
  } catch (error) {
    if (error instanceof MillraceError) return `is wrong: ${error.message}`
    throw error
  }
}
