import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContextStore, KitLogger } from '@millrace/hono'
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { InboxStats, MailList, WholeMail } from './mail-api.ts'
import { createInbox, type Inbox, type InboxOptions } from './inbox.ts'

const logger: KitLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const context: ContextStore = { run: (_ids, fn) => fn(), current: () => undefined }

let dir = ''
let inbox: Inbox
let sender: Transporter
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-inbox-'))
  await started()
})
afterEach(async () => {
  sender.close()
  await inbox.stop()
  await rm(dir, { recursive: true })
})

async function started(options: Partial<InboxOptions> = {}): Promise<void> {
  inbox = createInbox({ dir, logger, context, ...options })
  await inbox.start()
  sender = createTransport(inbox.smtpUrl)
}

async function restarted(options: Partial<InboxOptions> = {}): Promise<void> {
  sender.close()
  await inbox.stop()
  await started(options)
}

function send(to: string, over: SendMailOptions = {}) {
  const from = { name: 'Millrace', address: 'hello@millrace.test' }
  const mail = { from, to, subject: `For ${to}`, text: 'Hello', html: '<p>Hello</p>' }
  return sender.sendMail({ ...mail, messageId: `<${to.length}@m.test>`, ...over })
}

const base = 'http://127.0.0.1:3003'
const get = (path: string, init?: RequestInit) => Promise.resolve(inbox.app.request(base + path, init))
const json = async (path: string): Promise<unknown> => (await get(path)).json()
const listed = async (query = '') => (await json(`/api/mails${query}`)) as MailList
const stats = async () => (await json('/api/stats')) as InboxStats
const whole = async (id: string) => (await json(`/api/mails/${id}`)) as WholeMail
const text = async (path: string) => (await get(path)).text()

async function onlyId(): Promise<string> {
  const { mails } = await listed()
  return mails[0]?.id ?? ''
}

describe('the interface for programs', () => {
  test('gives a mail with everything that a test looks for', async () => {
    await send('jane@example.test', {
      text: 'Open https://app.test/a?t=1&u=2.\nBye',
      headers: { 'X-Correlation-Id': 'c-7' },
    })
    const { mails, next } = await listed('?to=JANE@example.test')
    expect(next).toBeNull()
    expect(mails).toMatchObject([
      { to: ['jane@example.test'], from: 'hello@millrace.test', subject: 'For jane@example.test' },
    ])
    const mail = await whole(mails[0]?.id ?? '')
    expect(mail).toMatchObject({
      messageId: '<17@m.test>',
      html: '<p>Hello</p>\n',
      links: ['https://app.test/a?t=1&u=2'],
    })
    expect(mail.headers).toContainEqual({ name: 'X-Correlation-ID', value: 'c-7' })
  })

  test('finds an international address however it is written', async () => {
    await send('josé@bücher.example')
    for (const to of ['josé@bücher.example', 'JOSÉ@xn--bcher-kva.example', 'jose\u0301@BÜCHER.example']) {
      expect((await listed(`?to=${encodeURIComponent(to)}`)).mails).toHaveLength(1)
    }
    expect((await listed('?to=jose@bücher.example')).mails).toHaveLength(0)
  })

  test('reads on in the order of arrival, without a gap and without a repeat', async () => {
    const names = Array.from({ length: 25 }, (_, n) => `n${n}@example.test`)
    for (const name of names) await send(name)
    const read: string[] = []
    let after = ''
    for (;;) {
      const { mails, next } = await listed(`?limit=10${after}`)
      read.push(...mails.flatMap(({ to }) => to))
      if (next === null) break
      after = `&after=${next}`
    }
    expect(read).toEqual(names)
  })

  test('counts, repeats of a Message-ID included, and forgets on demand', async () => {
    await send('a@example.test')
    await send('A@example.test')
    expect(await stats()).toMatchObject({
      mails: 2,
      received: 2,
      recipients: 1,
      repeated: 1,
      maxMails: 5_000,
    })
    expect(await (await get('/api/mails', { method: 'DELETE' })).json()).toEqual({ deleted: 2 })
    expect(await stats()).toMatchObject({ mails: 0, bytes: 0, received: 2 })
  })

  test.each(['limit=0', 'limit=x', 'limit=5000', 'after=x', 'sort=up'])(
    'refuses ?%s with a problem',
    async (query) => {
      const response = await get(`/api/mails?${query}`)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ code: 'request.invalid' })
    },
  )

  test.each([
    '/api/mails/nothing',
    '/mails/nothing',
    '/mails/nothing/html',
    '/mails/..%2f..%2fetc%2fpasswd/raw',
  ])('knows nothing at %s', async (path) => {
    expect((await get(path)).status).toBe(404)
  })
})

describe('what it takes', () => {
  test('keeps mails over a restart, and at most so many', async () => {
    for (const name of ['a', 'b', 'c']) await send(`${name}@example.test`)
    await restarted({ maxMails: 2 })
    const { mails } = await listed()
    expect(mails.map(({ subject }) => subject)).toEqual(['For b@example.test', 'For c@example.test'])
  })

  test('refuses a mail that is too large, and takes the next', async () => {
    await restarted({ maxMailBytes: 10_000 })
    const tooLarge = send('a@example.test', { text: 'x'.repeat(20_000) })
    await expect(tooLarge).rejects.toMatchObject({ responseCode: 552 })
    await send('b@example.test')
    expect((await stats()).mails).toBe(1)
  })

  test('takes any password, and keeps a client waiting that cannot be served', async () => {
    const other = createTransport(inbox.smtpUrl.replace('//', '//user:any%20password@'))
    await other.sendMail({ from: 'a@b.test', to: 'x@y.test', text: 't' })
    other.close()
    await rm(dir, { recursive: true })
    await expect(send('a@example.test')).rejects.toMatchObject({ responseCode: 452 })
    await restarted()
    await send('a@example.test')
    expect((await stats()).mails).toBe(1)
  })

  test('says in one sentence when its port is taken', async () => {
    const smtpPort = Number(new URL(inbox.smtpUrl).port)
    const second = createInbox({ dir, logger, context, smtpPort })
    await expect(second.start()).rejects.toMatchObject({ code: 'port.taken' })
    await second.stop()
  })

  test('a stop does not wait for a client that says nothing', async () => {
    const client = createConnection(Number(new URL(inbox.smtpUrl).port), '127.0.0.1')
    await new Promise((resolve) => client.once('data', resolve))
    const gone = new Promise((resolve) => client.once('close', resolve))
    const started = performance.now()
    await inbox.stop()
    await gone
    // The silence of a client is borne for a minute.
    expect(performance.now() - started).toBeLessThan(50_000)
  })
})

describe('the pages', () => {
  test('list the newest first, fifty on a page', async () => {
    for (let n = 0; n < 52; n += 1) await send(`n${n}@example.test`)
    const first = await text('/')
    expect(first).toContain('52 mails')
    expect(first.indexOf('n51@')).toBeLessThan(first.indexOf('n50@'))
    const older = /href="([^"]+)">Older/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const second = await text(older)
    expect(second.match(/<li>/g)).toHaveLength(2)
    expect(second).not.toContain('/inbox.js')
  })

  test('search by address and subject', async () => {
    await send('jane@bücher.example', { subject: 'Über uns' })
    await send('joe@example.test', { subject: 'Other' })
    for (const q of ['JANE', 'xn--bcher', 'bücher über', 'über']) {
      const found = await text(`/?q=${encodeURIComponent(q)}`)
      expect([q, found.includes('jane@'), found.includes('joe@')]).toEqual([q, true, false])
    }
    expect(await text('/?q=%3Cb%3Enobody')).toContain('&lt;b&gt;nobody')
  })

  test('show every value as text', async () => {
    const evil = '<img src=x onerror=alert(1)>'
    await send('jane@example.test', { subject: evil, text: `${evil} http://x.test/"onclick="a`, html: '' })
    const id = await onlyId()
    for (const path of [
      '/',
      `/mails/${id}?view=text`,
      `/mails/${id}?view=headers`,
      `/mails/${id}?view=raw`,
    ]) {
      const shown = await text(path)
      expect([path, shown.includes('<img')]).toEqual([path, false])
      expect([path, /<a [^>]*onclick/.test(shown)]).toEqual([path, false])
    }
  })

  test('frame the HTML of a mail under a policy that runs and fetches nothing', async () => {
    const html =
      '<!doctype html><meta http-equiv="refresh" content="0;url=https://evil.test"><p>Hi<script>alert(1)</script>'
    await send('jane@example.test', { html })
    const id = await onlyId()
    const page = await get(`/mails/${id}`)
    expect(page.headers.get('content-security-policy')).toContain("frame-src 'self'")
    expect(await page.text()).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"')
    const frame = await get(`/mails/${id}/html`)
    expect(frame.headers.get('content-security-policy')).toMatch(/^sandbox allow-popups .*default-src 'none'/)
    const body = await frame.text()
    expect(body).toMatch(/^<!doctype html><base target="_blank">/)
    expect(body).not.toContain('<meta http-equiv')
  })

  test('give the source as it came', async () => {
    await send('jane@example.test')
    const raw = await get(`/mails/${await onlyId()}/raw`)
    expect(raw.headers.get('content-type')).toBe('message/rfc822')
    expect(await raw.text()).toMatch(/^From: Millrace <hello@millrace.test>\r\n/)
  })

  test('tell a page that watches of a new mail', async () => {
    const response = await get('/feed')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toContain('retry:')
    const next = reader?.read()
    await send('jane@example.test')
    expect((await next)?.value).toBe('event: changed\ndata: 1\n\n')
    await reader?.cancel()
  })
})

describe('who may ask', () => {
  test.each(['http://evil.test:3003/', 'http://127.0.0.1.evil.test/api/mails'])(
    '%s gets nothing',
    async (url) => {
      expect((await inbox.app.request(url)).status).toBe(403)
    },
  )

  test.each(['http://localhost:3003/', 'http://[::1]:3003/', 'http://127.0.0.1/'])(
    '%s gets the page',
    async (url) => {
      expect((await inbox.app.request(url)).status).toBe(200)
    },
  )

  test.each([
    ['/clear', 'POST', { origin: 'https://evil.test' }],
    ['/clear', 'POST', { 'sec-fetch-site': 'cross-site' }],
    ['/clear', 'POST', { origin: 'null' }],
    ['/api/mails', 'DELETE', { origin: 'http://127.0.0.1:9999' }],
  ])('%s by %s from another page changes nothing: %o', async (path, method, headers) => {
    await send('jane@example.test')
    expect((await get(path, { method, headers })).status).toBe(403)
    expect((await stats()).mails).toBe(1)
  })

  test('its own page may clear it', async () => {
    await send('jane@example.test')
    const headers = { origin: 'null', 'sec-fetch-site': 'same-origin' }
    const response = await get('/clear', { method: 'POST', headers })
    expect([response.status, response.headers.get('location')]).toEqual([303, '/'])
    expect((await stats()).mails).toBe(0)
  })
})
