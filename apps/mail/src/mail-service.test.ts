import { accounts, createActivationLinks } from '@millrace/accounts'
import { createMemoryLog } from '@millrace/log'
import { type ConsumerEvent, createMemoryGroupStore } from '@millrace/processor'
import { createMailDelivery, type Mail } from '@millrace/smtp'
import { mailFailures, reached, scriptedSender } from '@millrace/smtp/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { AccountScript, idsIn } from '../../../test/support/account-script.ts'
import { accountLinks } from './mail-links.ts'
import { createMailService, type MailServiceOptions } from './mail-service.ts'

const key = Buffer.alloc(32, 7)
const links = accountLinks({ key, publicUrl: 'https://millrace.example' })
const mails = {
  product: { name: 'Millrace', url: 'https://millrace.example' },
  messageIdHost: 'mail.millrace.example',
}
const hour = 3_600_000

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A log with its script, and what the mail service needs beside a provider. */
function openLog() {
  const log = createMemoryLog()
  return { log, groups: createMemoryGroupStore({ log }), script: new AccountScript(log) }
}

/** Starts the service on a log, with a provider that does what the test says. */
function start(
  on: ReturnType<typeof openLog>,
  answer: (mail: Mail, tries: readonly string[]) => void = () => undefined,
  options: Partial<MailServiceOptions> = {},
) {
  const sent: Mail[] = []
  const news: ConsumerEvent[] = []
  const watchers = new Set<() => void>()
  const { sender, tries } = scriptedSender((mail, tried) => {
    answer(mail, tried)
    sent.push(mail)
    for (const look of watchers) look()
  })
  const delivery = createMailDelivery(sender, { failures: 2, firstProbeMs: 5, maxProbeMs: 20, attempts: 1 })
  const service = createMailService({
    ...on,
    delivery,
    mails,
    links,
    bounds: { retry: { firstMs: 5, maxMs: 10 }, commitMs: 5 },
    observe: (event) => {
      news.push(event)
      for (const look of watchers) look()
    },
    ...options,
  })
  void service.start()
  closing.push(() => service.stop())
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!condition()) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    })
  return { service, delivery, sent, tries, news, until }
}

/** Links are signed by other threads: while one of them takes its time, mails of other accounts go by. */
const linksAtOnce: MailServiceOptions['links'] = {
  ...links,
  confirmation: (_, issuedAtMs) =>
    Promise.resolve({ link: links.signIn, issuedAtMs, expiresAtMs: issuedAtMs + hour }),
}

const settled = (news: readonly ConsumerEvent[]) =>
  news.reduce((sum, event) => sum + (event.kind === 'progress' ? event.settled : 0), 0)

describe('the mail of an event', () => {
  test('goes to the address in the event, greets by name, and has a Message-ID of the event', async () => {
    const on = openLog()
    await on.script.signUp('u1', 'zoë@bücher.example')
    await on.script.append('EmailChanged', 'u1', { email: 'new@example.org' })
    await on.script.append('ActivationRequested', 'u1', { email: 'new@example.org' })
    await on.script.append('ActivationRequested', 'u1', { email: 'zoë@bücher.example' })
    await on.script.append('PasswordChanged', 'u1', { passwordHash: '$argon2id$y' })
    await on.script.append('AccountClosed', 'u1')
    const { sent, until } = start(on)
    await until(() => sent.length === 4)
    const { events } = await on.log.readKey(accounts, 'u1')
    expect(sent.map(({ to, subject, messageId }) => [to, subject, messageId])).toEqual([
      ['zoë@bücher.example', 'Please confirm your address for Millrace', idOf(events[0])],
      ['new@example.org', 'Please confirm your new address for Millrace', idOf(events[1])],
      ['new@example.org', 'Please confirm your new address for Millrace', idOf(events[2])],
      ['zoë@bücher.example', 'Please confirm your address for Millrace', idOf(events[3])],
    ])
    for (const { text } of sent) expect(text).toMatch(/^Hello Name of u1,/)
  })

  test('holds a link that user-command can read and that counts its time from the event', async () => {
    const on = openLog()
    await on.script.signUp('u1')
    const { sent, until } = start(on)
    await until(() => sent.length === 1)
    const token = /https:\/\/millrace\.example\/activate\?token=(\S+)/.exec(sent[0]?.text ?? '')?.[1] ?? ''
    const [first] = (await on.log.readKey(accounts, 'u1')).events
    const at = (ms: number) => createActivationLinks({ key, clock: { now: () => ms } }).verify(token)
    const issuedAtMs = Date.parse(first?.event.time ?? '')
    expect(await at(issuedAtMs + 47 * hour)).toEqual({ accountId: 'u1', eventId: first?.event.id })
    await expect(at(issuedAtMs + 49 * hour)).rejects.toMatchObject({ code: 'link.expired' })
  })

  test('is the same to the last character when it is sent again', async () => {
    const on = openLog()
    await on.script.signUp('u1')
    await on.script.append('EmailChanged', 'u1', { email: 'new@example.org' })
    const first = start(on)
    await first.until(() => first.sent.length === 2)
    // Another group store has forgotten that they were sent.
    const second = start({ ...on, groups: createMemoryGroupStore({ log: on.log }) })
    await second.until(() => second.sent.length === 2)
    expect(second.sent).toEqual(first.sent)
  })

  test('of attempts to sign up, the owner hears once an hour; after an outage of the latest alone', async () => {
    const on = openLog()
    await on.script.signUp('u1')
    const attempt = () => on.script.append('SignUpAttempted', 'u1', { email: 'u1@example.org' })
    const { sent, news, until } = start(on)
    await until(() => sent.length === 1)
    const minutes = [0, 30, 59, 60, 90, 119, 121]
    let now = 0
    for (const [index, minute] of minutes.entries()) {
      on.script.pass((minute - now) * 60_000)
      now = minute
      await attempt()
      await until(() => settled(news) === index + 2)
    }
    expect(sent.slice(1).map(({ subject }) => subject)).toEqual(
      Array.from({ length: 3 }, () => 'You already have an account at Millrace'),
    )
    const late = start({ ...on, groups: createMemoryGroupStore({ log: on.log }) })
    await late.until(() => settled(late.news) === 8)
    expect(late.sent.map(({ messageId }) => messageId)).toEqual([sent[0]?.messageId, sent[3]?.messageId])
  })
})

describe('failures', () => {
  test('an address that is refused for good is a dead letter with the masked answer; others go on', async () => {
    const on = openLog()
    const [bad = '', good = ''] = idsIn(3, 2)
    await on.script.signUp(bad, 'gone@example.org')
    await on.script.append('EmailChanged', bad, { email: 'there@example.org' })
    await on.script.signUp(good)
    const { service, sent, until, news } = start(on, ({ to }) => {
      if (to === 'gone@example.org') throw mailFailures.refused()
    })
    await until(() => sent.length === 2 && news.some(({ kind }) => kind === 'dead'))
    await service.stop()
    expect(sent.map(({ to }) => to).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'there@example.org',
      `${good}@example.org`,
    ])
    const letters = await on.groups.deadLetters({ topic: accounts, partition: 3, group: 'mail' })
    expect(letters).toMatchObject([{ key: bad, seq: 1, reason: 'mail.refused', details: { reason: '550' } }])
    expect(JSON.stringify(letters)).not.toContain('gone@')
  })

  test('an address that is put off is tried again, and becomes a dead letter when its attempts are spent', async () => {
    const on = openLog()
    const [slow = '', full = '', good = ''] = idsIn(3, 3)
    for (const id of [slow, full, good]) await on.script.signUp(id)
    const { sent, tries, until, news } = start(
      on,
      ({ to }, tried) => {
        const times = tried.filter((one) => one === to).length
        if (to.startsWith(`${full}@`) || (to.startsWith(`${slow}@`) && times < 3)) throw mailFailures.putOff()
      },
      { bounds: { retry: { firstMs: 1, maxMs: 2 }, attempts: 4, commitMs: 5 } },
    )
    await until(() => sent.length === 2 && news.some(({ kind }) => kind === 'dead'))
    expect(tries.filter((to) => to.startsWith(`${full}@`))).toHaveLength(4)
    expect(sent.map(({ to }) => to)).toEqual([`${good}@example.org`, `${slow}@example.org`])
    const letters = news.flatMap((event) => (event.kind === 'dead' ? [event.letter] : []))
    expect(letters).toMatchObject([{ key: full, reason: 'attempts-spent', attempts: 4 }])
  })

  test('while the provider is away nobody’s attempts are spent; the backlog drains in order on return', async () => {
    const on = openLog()
    const ids = idsIn(3, 30)
    for (const id of ids) await on.script.signUp(id)
    let away = true
    const { service, delivery, sent, news, until } = start(
      on,
      () => {
        if (away) throw mailFailures.away()
      },
      { links: linksAtOnce },
    )
    await reached(delivery, 'open')
    await until(() => news.some(({ kind }) => kind === 'paused'))
    expect(service.health()).toMatchObject({ state: 'degraded', consumer: { paused: true } })
    expect(service.health().message).toContain('the provider is away')
    // Sign-ups go on meanwhile; each probe fails.
    await on.script.append('EmailChanged', ids[0] ?? '', { email: 'late@example.org' })
    await reached(delivery, 'half-open')
    await reached(delivery, 'open')
    away = false
    await until(() => sent.length === 31)
    expect(news.filter(({ kind }) => kind === 'retry' || kind === 'dead')).toEqual([])
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(31)
    // In the order of the log, but for those that were handed over together; each key's strictly.
    const order = sent.map(({ to }) => to)
    for (const [at, id] of ids.entries())
      expect(Math.abs(order.indexOf(`${id}@example.org`) - at)).toBeLessThanOrEqual(8)
    expect(order.indexOf('late@example.org')).toBeGreaterThan(order.indexOf(`${ids[0]}@example.org`))
    expect(service.health()).toMatchObject({ state: 'ok' })
  })

  test('a stop while the provider is away does not wait for it', async () => {
    const on = openLog()
    await on.script.signUp('u1')
    const { service, delivery } = start(
      on,
      () => {
        throw mailFailures.away()
      },
      { bounds: { stopMs: 20 } },
    )
    await reached(delivery, 'open')
    await service.stop()
    const next = start(on)
    await next.until(() => next.sent.length === 1)
    expect(next.sent).toHaveLength(1)
  })
})

function idOf(recorded: { event: { id: string } } | undefined): string {
  return `<${recorded?.event.id}@mail.millrace.example>`
}
