import { setTimeout as delay } from 'node:timers/promises'
import type { Story, StoryEntry } from '@millrace/processor'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { millrace } from '../../apps/cli/src/testing/millrace.ts'
import { WholeSystem } from '../support/whole-system.ts'

const patienceMs = 120_000

let provider: FaultySmtpServer
let system: WholeSystem
beforeAll(async () => {
  provider = await FaultySmtpServer.start()
  system = await WholeSystem.start({ env: { SMTP_URL: provider.url } })
})
afterAll(async () => {
  await system?.stop()
  await provider?.stop()
})

async function signUp(name: string, correlationId: string): Promise<string> {
  const answer = await fetch(`${system.urlOf('GATEWAY')}/users`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'X-Correlation-Id': correlationId },
    body: JSON.stringify({
      username: name,
      email: `${name}.doe@example.org`,
      password: 'correct horse staple',
    }),
  })
  expect(answer.status).toBe(201)
  return ((await answer.json()) as { id: string }).id
}

async function explain(line: string): Promise<Story> {
  const { code, stdout, stderr } = await millrace(`explain ${line} --json`, { MILLRACE_HOME: system.home })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Story
}

/** Asks again until the story has come so far. */
async function untilTold(line: string, isSo: (story: Story) => boolean): Promise<Story> {
  for (const deadline = Date.now() + patienceMs; ; await delay(100)) {
    const story = await explain(line)
    if (isSo(story)) return story
    if (Date.now() > deadline) throw new Error(`It never came so far:\n${JSON.stringify(story, null, 2)}`)
  }
}

/** What a story says, a line each, without times. */
function lines(entries: readonly StoryEntry[]): readonly string[] {
  return entries.map((entry) => {
    switch (entry.kind) {
      case 'request':
        return `${entry.service} ${entry.method} ${entry.route} ${entry.status}`
      case 'event':
        return entry.type
      case 'fact':
        return `${entry.group} ${entry.fact.what}${'no' in entry.fact ? ` ${entry.fact.no}` : ''}`
      case 'note':
        return `${entry.group}: ${entry.text}`
      case 'settled':
        return `${entry.group} settled`
    }
  })
}

const doneBy = (group: string) => (story: Story) =>
  story.entries.some((entry) => entry.kind === 'fact' && entry.group === group && entry.fact.what === 'done')

test('given only the correlation id of a sign-up whose mail bounced twice, explain tells the whole story', async () => {
  provider.faults.defer(451, '4.2.0 Mailbox of zoe.doe@example.org is busy', 2)
  const id = await signUp('zoe', 'bounced-twice')
  // The view, and what tells of requests, may be later than the mail.
  const story = await untilTold(
    'correlation bounced-twice',
    (one) =>
      doneBy('mail')(one) &&
      one.open.length === 0 &&
      one.entries.filter(({ kind }) => kind === 'request').length >= 3,
  )
  const told = lines(story.entries)
  // Who was asked first was answered last: the requests began one in the other.
  expect(told.slice(0, 3)).toEqual([
    'gateway POST /users 201',
    expect.stringMatching(/^user-command POST .+ 201$/),
    expect.stringMatching(/^uniq POST \/events 200$/),
  ])
  expect(told[3]).toBe('AccountCreated')
  expect(told).toContain('user-query settled')
  expect(told.filter((line) => line.startsWith('mail'))).toEqual([
    expect.stringMatching(/^mail: send 1 failed: mail\.temporary: .*451/),
    expect.stringMatching(/^mail: send 2 failed: mail\.temporary: .*451/),
    'mail: send 3: the provider has taken the activation mail',
    'mail done',
  ])
  const [mail] = provider.record.mails
  const sent = story.entries.find((entry) => entry.kind === 'note' && entry.text.startsWith('send 3'))
  expect(sent).toMatchObject({ group: 'mail', details: { messageId: mail?.messageId } })
  expect(story).toMatchObject({ open: [], beyond: 0, behind: 0 })
  const times = story.entries.map(({ atMs }) => atMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))

  // The same by the key, and by the event.
  expect(lines((await explain(`key accounts ${id}`)).entries)).toEqual(told)
  const created = story.entries.find((entry) => entry.kind === 'event')
  expect(lines((await explain(`event ${created?.kind === 'event' ? created.eventId : ''}`)).entries)).toEqual(
    told,
  )

  // Neither form shows an address or a password.
  const { stdout } = await millrace('explain correlation bounced-twice', { MILLRACE_HOME: system.home })
  for (const text of [stdout, JSON.stringify(story)]) expect(text).not.toMatch(/zoe\.doe@|correct horse/)
  expect(stdout.split('\n').filter((line) => /mail: send \d failed/.test(line))).toHaveLength(2)
  expect(stdout).toMatch(/mail: send 3: the provider has taken the activation mail \(messageId <.+>\)\n/)
  expect(stdout).toContain('Nothing is open.')
})

test('who has repaired what is part of the story', async () => {
  provider.faults.refuse('ada.doe@example.org', 550, '5.1.1 No such user ada.doe@example.org')
  const id = await signUp('ada', 'repaired')
  const dead = await untilTold('correlation repaired', ({ open }) =>
    open.some(({ state }) => state === 'dead'),
  )
  expect(lines(dead.entries).filter((line) => line.startsWith('mail '))).toEqual([
    'mail attempt 1',
    'mail dead',
  ])
  provider.faults.heal()
  const event = dead.entries.find((entry) => entry.kind === 'event')
  const position = event?.kind === 'event' ? event.position : ''
  const repair = await millrace(
    `dead requeue ${position} --group mail --actor ada@example.org --reason the-mailbox-is-there-now --yes`,
    { MILLRACE_HOME: system.home },
  )
  expect(repair.code).toBe(0)
  const isDone = (one: Story) => doneBy('mail')(one) && one.open.length === 0
  const story = await untilTold(`key accounts ${id}`, isDone)
  expect(lines(story.entries).filter((line) => line.startsWith('mail '))).toEqual([
    'mail attempt 1',
    'mail dead',
    'mail ruled',
    'mail done',
  ])
  const ruled = story.entries.find((entry) => entry.kind === 'fact' && entry.fact.what === 'ruled')
  expect(ruled).toMatchObject({ fact: { kind: 'requeued', on: 'dead', reason: 'the-mailbox-is-there-now' } })
  expect(story.entries.at(-1)).toMatchObject({ fact: { what: 'done', origin: 'late' } })
  expect(story.open).toEqual([])
  expect(JSON.stringify(story)).not.toMatch(/ada\.doe@|ada@example/)
})

test('so does the key of a lead', async () => {
  const answer = await fetch(`${system.urlOf('LEADS')}/buyers/anna/offers`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${system.secrets.SERVICE_TOKEN}`,
      'X-Correlation-Id': 'a-lead',
    },
    body: JSON.stringify({ car: 'a red one', price: 7_000 }),
  })
  expect(answer.status).toBe(201)
  const isTold = ({ entries, open }: Story) =>
    open.length === 0 &&
    // Requests are told a moment after their answers.
    entries.some(({ kind }) => kind === 'request') &&
    entries.some((entry) => entry.kind === 'settled' || (entry.kind === 'fact' && entry.fact.what === 'done'))
  const story = await untilTold('key offers anna', isTold)
  const told = lines(story.entries)
  expect(told.slice(0, 2)).toEqual(['leads POST /buyers/:buyer/offers 201', 'OfferMade'])
  expect(told.join('\n')).toMatch(/^leads (settled|done)$/m)
  const whole = lines((await untilTold('correlation a-lead', isTold)).entries)
  expect(whole).toEqual(expect.arrayContaining(['OfferMade']))
})

test('the operations listener tells the same, to whoever may look: as JSON, and as a page', async () => {
  const url = `${system.urlOf('OPS')}/explain/correlation/bounced-twice`
  const { CONSOLE_VIEWER_TOKEN } = system.secrets
  const authorization = `Bearer ${CONSOLE_VIEWER_TOKEN}`
  expect((await fetch(url)).status).toBe(401)
  const answer = await fetch(url, { headers: { authorization } })
  expect(lines(((await answer.json()) as Story).entries)).toEqual(
    lines((await explain('correlation bounced-twice')).entries),
  )
  const none = await fetch(`${system.urlOf('OPS')}/explain/event/nobody`, { headers: { authorization } })
  expect([none.status, await none.json()]).toMatchObject([404, { code: 'story.unknown' }])

  // A link of a dashboard in a browser: to the login, and back.
  const accept = 'text/html'
  const login = await fetch(url, { headers: { accept }, redirect: 'manual' })
  expect(login.headers.get('location')).toBe('/queues/login?to=/explain/correlation/bounced-twice')
  const form = await fetch(`${system.urlOf('OPS')}${login.headers.get('location')}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: system.urlOf('OPS') },
    body: new URLSearchParams({ token: CONSOLE_VIEWER_TOKEN }),
    redirect: 'manual',
  })
  expect([form.status, form.headers.get('location')]).toEqual([303, '/explain/correlation/bounced-twice'])
  const cookie = form.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .find((one) => one?.startsWith('millrace-explain='))
  const page = await fetch(url, { headers: { accept, cookie: cookie ?? '' } })
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const text = await page.text()
  expect(text).toContain('mail: send 3: the provider has taken')
  expect(text).not.toMatch(/<script|zoe\.doe@/)
})
