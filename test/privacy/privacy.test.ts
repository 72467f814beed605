import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runDemo } from '../../apps/cli/src/demo/program.ts'
import { millrace } from '../../apps/cli/src/testing/millrace.ts'
import { type Answer, call } from '../sign-up/system.ts'
import { OtlpCollector } from '../support/otlp-collector.ts'
import { testSeed } from '../support/random.ts'
import { WholeSystem } from '../support/whole-system.ts'
import { type Mark, markedRun, marksIn } from './marks.ts'
import { type Found, foundInPostgres, foundInRedis } from './stored.ts'

const patienceMs = 120_000
const seed = testSeed()
const run = markedRun(`privacy ${seed}`)
const people = 40

let collector: OtlpCollector
let provider: FaultySmtpServer
let system: WholeSystem
let redis: Redis
let postgres: Client
/** What nobody may find: addresses, passwords, and every secret that went around. */
const marks: Mark[] = [...run.marks]
/** What operators were answered by and by. */
const answers: string[] = []

beforeAll(async () => {
  collector = await OtlpCollector.start()
  provider = await FaultySmtpServer.start()
  system = await WholeSystem.start({
    env: {
      SMTP_URL: provider.url,
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'json',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER_ARG: '1',
    },
  })
  redis = new Redis(system.redisUrl)
  postgres = new Client({ connectionString: system.databaseUrl })
  await postgres.connect()
  for (const [of, text] of Object.entries(system.secrets)) marks.push({ of, text })
  // As providers do, these say whom they refuse.
  for (const [name, code] of [
    ['refused', 550],
    ['retried', 451],
  ] as const)
    // prettier-ignore
    provider.faults.refuse(run.addressOf(name), code, `No mailbox for ${run.addressOf(name)} today`)
  await signUp('refused')
  await signUp('retried')
  await ownAccount()
  expect(await demo()).toContain('Everything agrees.')
  await shows(/^millrace_queue_jobs\{queue="retry.accounts.mail",state="delayed"\} 1$/m)
  await shows(/^millrace_dead_letters_total\{.*group="mail".*\} 1$/m)
  await askAsOperator()
})

afterAll(async () => {
  redis?.disconnect()
  await postgres?.end()
  await system?.stop()
  await provider?.stop()
  await collector?.stop()
})

const at = (place: string) => `${system.urlOf('GATEWAY')}${place}`

function signUp(name: string): Promise<Answer> {
  const [email, password] = [run.addressOf(name), run.passwordOf(name)]
  const headers = { 'idempotency-key': randomUUID(), 'x-correlation-id': `privacy-${name}` }
  return call(at('/users'), 'POST', { username: 'Somebody', email, password }, headers)
}

/** Everything that one can do with an account, rightly and wrongly. */
async function ownAccount(): Promise<void> {
  const { body } = await signUp('wanda')
  const id = String(body['id'])
  expect((await signUp('wanda')).status).toBe(409)
  const [email, password] = [run.addressOf('wanda'), run.passwordOf('wanda')]
  expect((await call(at('/sessions'), 'POST', { email, password: run.passwordOf('wrong') })).status).toBe(401)
  const session = String((await call(at('/sessions'), 'POST', { email, password })).body['token'])
  marks.push({ of: 'session', text: session })
  const own = { authorization: `Bearer ${session}` }
  await call(at('/users'), 'POST', { email: `${email}@`, password, username: email })
  const mails = await mailsTo(email, 1)
  const link = /\/activate\?token=(\S+)/.exec(mails[0]?.text ?? '')?.[1] ?? ''
  expect(link).not.toBe('')
  marks.push({ of: 'link', text: decodeURIComponent(link) })
  await (await fetch(at(`/activate?token=${link}`))).text()
  expect((await call(at('/activations'), 'POST', { token: decodeURIComponent(link) })).status).toBe(200)
  const next = run.passwordOf('next')
  const changed = await call(at(`/users/${id}/password`), 'POST', { current: password, next }, own)
  expect(changed.status).toBe(200)
  const fresh = String((await call(at('/sessions'), 'POST', { email, password: next })).body['token'])
  marks.push({ of: 'session', text: fresh })
  const moved = await call(
    at(`/users/${id}`),
    'PATCH',
    { email: run.addressOf('moved') },
    { authorization: `Bearer ${fresh}` },
  )
  expect(moved.status).toBe(200)
  await mailsTo(run.addressOf('moved'), 1)
  await call(at(`/users/${id}?after=${String(moved.body['position'])}`), 'GET', undefined, {
    authorization: `Bearer ${fresh}`,
  })
}

async function mailsTo(address: string, count: number) {
  for (const deadline = Date.now() + patienceMs; ; await delay(50)) {
    const mails = provider.record.mailsTo(address)
    if (mails.length >= count) return mails
    if (Date.now() > deadline) throw new Error(`No mail came to ${address}`)
  }
}

/** The sign-up demo, whose people have the marks of the same seed. */
async function demo(): Promise<string> {
  const [out, err] = [new Heard(), new Heard()]
  const places = ['--base-url', system.urlOf('GATEWAY'), '--no-inbox', '--home', system.home]
  const args = ['sign-up', ...places, '--count', String(people), '--seed', run.seed]
  await runDemo(args, { env: {}, out, err, signal: new AbortController().signal })
  return out.text + err.text
}

class Heard extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

async function metrics(accept = 'text/plain'): Promise<string> {
  return (await fetch(`${system.urlOf('OPS')}/metrics`, { headers: { accept } })).text()
}

async function shows(line: RegExp): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !line.test(await metrics()); await delay(200))
    if (Date.now() > deadline) throw new Error(`Never: ${line.source}`)
}

/** What an operator looks at: dead letters, jobs and stories, as pages, as JSON and on the command line. */
async function askAsOperator(): Promise<void> {
  const authorization = `Bearer ${system.secrets.CONSOLE_TOKEN}`
  for (const place of ['/dead-letters', '/effects', '/health/ready', '/queues/api/queues'])
    for (const accept of ['application/json', 'text/html'])
      answers.push(
        await (await fetch(`${system.urlOf('OPS')}${place}`, { headers: { authorization, accept } })).text(),
      )
  const env = { MILLRACE_HOME: system.home }
  const ask = async (line: string) => {
    const { stdout, stderr } = await millrace(line, env)
    answers.push(stdout, stderr)
    return stdout
  }
  const dead = await ask('dead ls --json')
  const position = /accounts\/\d+\/\d+-\d+/.exec(dead)?.[0] ?? ''
  expect(position).not.toBe('')
  await ask(`dead show ${position} --group mail`)
  await ask('dead classes')
  await ask('parked ls')
  for (const name of ['refused', 'retried', 'wanda']) {
    const story = await ask(`explain correlation privacy-${name}`)
    expect(story).toContain('AccountCreated')
    await ask(`explain correlation privacy-${name} --json`)
  }
}

/** Files beside the data of the servers, which are looked at through the servers. */
function filesOfHome(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((one) => {
    const file = path.join(directory, one.name)
    if (one.isDirectory())
      return /^(redis|postgres)$/.test(one.name)
        ? filesOfHome(file).filter((inner) => inner.endsWith('.log'))
        : filesOfHome(file)
    return one.isFile() && !/^(secrets|running)\.json$/.test(one.name) ? [readFileSync(file, 'latin1')] : []
  })
}

/** The table of docs/privacy.md. */
function documented(): Record<string, string> {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/privacy.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `((?:redis|postgres) [^`]+)` \| ([^|]+) \|/gm)]
  return Object.fromEntries(rows.map(([, place = '', holds = '']) => [place, holds.trim()]))
}

const held = (...found: Found[]): Record<string, string> =>
  Object.fromEntries(
    found.flatMap((one) => [...one].map(([place, of]) => [place, [...of].toSorted().join(', ')])),
  )

describe(`after the demo (seed ${seed})`, () => {
  test.each([
    ['logs', () => system.output],
    ['traces', () => collector.spans.map(({ text }) => text).join('\n')],
    ['metrics', () => metrics()],
    ['metrics with exemplars', () => metrics('application/openmetrics-text;version=1.0.0')],
    ['what operators are shown', () => answers.join('\n')],
    ['files', () => filesOfHome(system.home).join('\n')],
  ] as const)('%s hold nothing of anybody, and no secret', async (_, read) => {
    const text = await read()
    expect(text.length).toBeGreaterThan(100)
    expect(marksIn(text, marks)).toEqual([])
    // Planted: it would have been seen.
    expect(marksIn(`${text}${run.addressOf('eve').toUpperCase()}`, marks)).toEqual(['address'])
    expect(marksIn(`${text}${run.passwordOf('eve')}`, marks)).toEqual(['password'])
    const coded = Buffer.from(`x${run.addressOf('eve')}`).toString('base64')
    expect(marksIn(`${text} ${coded}`, marks)).toEqual(['address'])
  })

  test('what is stored about somebody is where docs/privacy.md says, and nowhere else', async () => {
    const places = held(await foundInRedis(redis, marks), await foundInPostgres(postgres, marks))
    expect(places).toEqual(documented())
  })

  test('planted: a job whose error names somebody is found', async () => {
    const job = 'bull:retry.accounts.mail:planted'
    await redis.hset(job, { failedReason: `No mailbox for ${run.addressOf('eve')}`, stacktrace: '[]' })
    const places = held(await foundInRedis(redis, marks), await foundInPostgres(postgres, marks))
    await redis.del(job)
    expect(places).toEqual({ ...documented(), [`redis ${job}`]: 'address' })
  })
})
