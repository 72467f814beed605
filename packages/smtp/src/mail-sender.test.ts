import { afterEach, describe, expect, test } from 'vitest'
import { type Mail, type MailSender, mailFailureOf } from './index.ts'
import { createRestMailSender } from './rest-mail-sender.ts'
import { createSmtpMailSender } from './smtp-mail-sender.ts'
import { FaultyMailApi, FaultySmtpServer, type MailFaults, type MailRecord } from './testing/index.ts'

/** A provider that a test can harm, and senders that talk to it. */
interface Provider {
  readonly record: MailRecord
  readonly faults: MailFaults
  /** The most connections or requests that were open at once. */
  readonly mostAtOnce: number
  down(): Promise<void>
  up(): Promise<void>
  stop(): Promise<void>
}

interface Adapter {
  readonly name: string
  /** What this interface answers for good, and for now. */
  readonly refusal: number
  readonly temporary: { readonly code: number; readonly scope: string }
  readonly start: () => Promise<{ provider: Provider; sender: (limits?: Limits) => MailSender }>
}

/** The limits that tests turn, in words that fit both adapters. */
interface Limits {
  readonly atOnce?: number
  readonly maxWaiting?: number
  readonly timeoutMs?: number
}

const from = { name: 'Millrace', address: 'hello@millrace.test' }

const smtp: Adapter = {
  name: 'SMTP',
  refusal: 550,
  temporary: { code: 451, scope: 'message' },
  async start() {
    const provider = await FaultySmtpServer.start()
    const sender = ({ atOnce = 4, maxWaiting = 1_000, timeoutMs = 10_000 }: Limits = {}) =>
      createSmtpMailSender({
        url: provider.url,
        from,
        limits: { maxConnections: atOnce, maxWaiting, answerTimeoutMs: timeoutMs },
      })
    return { provider, sender }
  },
}

const rest: Adapter = {
  name: 'REST',
  refusal: 422,
  temporary: { code: 503, scope: 'provider' },
  async start() {
    const provider = await FaultyMailApi.start()
    const { url, token } = provider
    const sender = ({ atOnce = 4, maxWaiting = 1_000, timeoutMs = 10_000 }: Limits = {}) =>
      createRestMailSender({
        url,
        token,
        from,
        limits: { maxRequests: atOnce, maxWaiting, requestTimeoutMs: timeoutMs },
      })
    return { provider, sender }
  },
}

const cleanUp: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function started(adapter: Adapter, limits?: Limits) {
  const { provider, sender } = await adapter.start()
  cleanUp.push(() => provider.stop())
  const first = sender(limits)
  cleanUp.push(() => first.stop())
  return { provider, sender: first, ...provider, record: provider.record, faults: provider.faults }
}

function mailTo(to: string, over: Partial<Mail> = {}): Mail {
  return {
    to,
    subject: 'Please confirm your address',
    text: 'Hello,\n\nopen https://app.test/a?t=1\n',
    html: '<p>Hello</p>',
    messageId: `<${encodeURIComponent(to)}@millrace.test>`,
    headers: { 'X-Correlation-Id': 'c-1' },
    ...over,
  }
}

const send = (sender: MailSender, mail: Mail, signal?: AbortSignal) =>
  sender.send(mail, { idempotencyKey: mail.messageId, ...(signal === undefined ? {} : { signal }) })

/** The failure of a send that must fail. */
async function failureOf(sent: Promise<unknown>) {
  const error = await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return mailFailureOf(error) ?? error
}

describe.each([smtp, rest])('a mail sender over $name', (adapter) => {
  test('hands a mail over as it is, with its own Message-ID and correlation id', async () => {
    const { sender, record } = await started(adapter)
    const receipt = await send(sender, mailTo('jane@example.test'))
    expect(receipt.messageId).toBe('<jane%40example.test@millrace.test>')
    expect(receipt.answer).not.toBe('')
    const [mail] = record.mails
    expect(mail?.to).toEqual(['jane@example.test'])
    expect(mail?.messageId).toBe(receipt.messageId)
    expect(mail?.headers.get('x-correlation-id')).toEqual(['c-1'])
    expect(mail?.text.trim()).toBe('Hello,\n\nopen https://app.test/a?t=1')
    expect(mail?.html.trim()).toBe('<p>Hello</p>')
  })

  test.each([
    ['josé@bücher.example', 'josé@xn--bcher-kva.example'],
    ['用户@例え.テスト', '用户@xn--r8jz45g.xn--zckzah'],
    ['plain@münchen.test', 'plain@xn--mnchen-3ya.test'],
    ['"quoted"@example.test', '"quoted"@example.test'],
    ["o'hara+tag@example.test", "o'hara+tag@example.test"],
  ])('reaches %s', async (to, wire) => {
    const { sender, record } = await started(adapter)
    await send(sender, mailTo(to, { subject: 'Grüße, 你好 🎉', text: 'Žluťoučký kůň 🐎' }))
    const [mail] = record.mails
    expect(mail?.to.map((address) => address.normalize('NFC'))).toEqual([wire])
    expect(mail?.subject).toBe('Grüße, 你好 🎉')
    expect(mail?.text.trim()).toBe('Žluťoučký kůň 🐎')
  })

  test('lets no text become a header', async () => {
    const { sender, record } = await started(adapter)
    const evil = 'x\r\nBcc: victim@evil.test\r\n\r\nbody'
    await send(sender, mailTo('jane@example.test', { subject: evil, headers: { 'X-Correlation-Id': evil } }))
    expect(record.recipients).toEqual(['jane@example.test'])
    const [mail] = record.mails
    expect(mail?.headers.has('bcc')).toBe(false)
    expect(mail?.subject).toBe('x Bcc: victim@evil.test body')
    expect(mail?.headers.get('x-correlation-id')).toEqual(['x Bcc: victim@evil.test body'])
  })

  test.each(['Bcc', 'from', 'Content-Type', 'X-A\r\nBcc', 'Resent-To'])(
    'refuses to set the header %j',
    async (name) => {
      const { sender, record } = await started(adapter)
      await expect(send(sender, mailTo('jane@example.test', { headers: { [name]: 'x' } }))).rejects.toThrow(
        TypeError,
      )
      expect(record.mails).toEqual([])
    },
  )

  test.each([
    '',
    'nobody',
    '@example.test',
    'a@',
    'a b@example.test',
    'a@b@example.test',
    'a\r\nb@example.test',
  ])('refuses the address %j before anybody is asked', async (to) => {
    const { sender, record } = await started(adapter)
    expect(await failureOf(send(sender, mailTo(to)))).toMatchObject({ code: 'mail.refused', step: 'address' })
    expect(record.recipients).toEqual([])
  })

  test('tells a refused address for good, with the masked answer; others go on', async () => {
    const { sender, record, faults } = await started(adapter)
    faults.refuse('gone@example.test', adapter.refusal, '5.1.1 <gone@example.test>: no such user')
    const failure = await failureOf(send(sender, mailTo('gone@example.test')))
    expect(failure).toMatchObject({ code: 'mail.refused', scope: 'message', reason: String(adapter.refusal) })
    expect(JSON.stringify(failure)).toContain('no such user')
    expect(JSON.stringify(failure)).not.toContain('gone@example.test')
    await send(sender, mailTo('jane@example.test'))
    expect(record.mails).toHaveLength(1)
    expect(faults.struck).toBe(1)
  })

  test('tells a refused content for good', async () => {
    const { sender, faults } = await started(adapter)
    faults.refuseContent(adapter.refusal === 550 ? 554 : 413)
    const failure = await failureOf(send(sender, mailTo('jane@example.test')))
    expect(failure).toMatchObject({ code: 'mail.refused', scope: 'message' })
  })

  test('tells a refusal that will pass', async () => {
    const { sender, record, faults } = await started(adapter)
    faults.defer(adapter.temporary.code, '4.2.0 come again', 1)
    const failure = await failureOf(send(sender, mailTo('jane@example.test')))
    expect(failure).toMatchObject({ code: 'mail.temporary', scope: adapter.temporary.scope })
    await send(sender, mailTo('jane@example.test'))
    expect(record.mails).toHaveLength(1)
  })

  test('tells a provider that is down, and reaches it when it is back', async () => {
    const { sender, provider, record } = await started(adapter)
    await send(sender, mailTo('first@example.test'))
    await provider.down()
    const failure = await failureOf(send(sender, mailTo('second@example.test')))
    expect(failure).toMatchObject({ code: 'mail.temporary', scope: 'provider', reason: 'ECONNREFUSED' })
    await provider.up()
    await send(sender, mailTo('second@example.test'))
    expect(record.mails.map(({ to }) => to[0])).toEqual(['first@example.test', 'second@example.test'])
  })

  test('tells a connection that was cut before the mail was whole as surely not sent', async () => {
    const { sender, faults, record } = await started(adapter)
    faults.cutBody()
    const failure = await failureOf(
      send(sender, mailTo('jane@example.test', { text: 'long '.repeat(400_000) })),
    )
    expect(failure).toMatchObject({ code: 'mail.temporary', scope: 'provider' })
    expect(faults.struck).toBe(1)
    expect(record.mails).toEqual([])
  })

  test('a lost answer makes no second mail, or one that carries the same Message-ID', async () => {
    const { sender, faults, record } = await started(adapter)
    faults.cutAnswer()
    const mail = mailTo('jane@example.test')
    const failure = await failureOf(send(sender, mail))
    const code = sender.deduplicates ? 'mail.temporary' : 'mail.unknown'
    expect(failure).toMatchObject({ code, scope: 'provider' })
    await send(sender, mail)
    expect(record.mails.map(({ answered }) => answered)).toEqual(
      sender.deduplicates ? [false] : [false, true],
    )
    expect(new Set(record.mails.map(({ messageId }) => messageId))).toEqual(new Set([mail.messageId]))
  })

  test('gives a provider up that answers too late', async () => {
    const { provider, sender } = await adapter.start()
    cleanUp.push(() => provider.stop())
    provider.faults.slow(60_000)
    // So short a time may be over before the provider has the mail and keeps us waiting: then a longer one.
    for (let timeoutMs = 50; provider.faults.struck === 0; timeoutMs *= 4) {
      const impatient = sender({ timeoutMs })
      cleanUp.push(() => impatient.stop())
      const failure = await failureOf(send(impatient, mailTo('jane@example.test')))
      const code = impatient.deduplicates ? 'mail.temporary' : 'mail.unknown'
      expect(failure).toMatchObject({ code, scope: 'provider', reason: 'timeout' })
    }
  })

  test('gives up when it is told to, and does not blame the provider', async () => {
    const { sender, faults, record } = await started(adapter)
    const stopped = AbortSignal.abort()
    expect(await failureOf(send(sender, mailTo('jane@example.test'), stopped))).toMatchObject({
      code: 'mail.temporary',
      scope: 'local',
    })
    faults.slow(60_000)
    const controller = new AbortController()
    const sent = failureOf(send(sender, mailTo('jane@example.test'), controller.signal))
    while (record.recipients.length === 0 && faults.struck === 0) await new Promise(setImmediate)
    controller.abort()
    expect(await sent).toMatchObject({ scope: 'local', reason: 'aborted' })
  })

  test('keeps the order with one connection, and refuses what would wait beyond the limit', async () => {
    const { sender, record } = await started(adapter, { atOnce: 1, maxWaiting: 20 })
    const sent = Array.from({ length: 30 }, (_, n) => failureOf(send(sender, mailTo(`n${n}@example.test`))))
    const failures = await Promise.all(sent)
    expect(record.mails.map(({ to }) => to[0])).toEqual(
      Array.from({ length: 21 }, (_, n) => `n${n}@example.test`),
    )
    expect(failures.slice(0, 21)).toEqual(Array.from({ length: 21 }, () => undefined))
    for (const failure of failures.slice(21))
      expect(failure).toMatchObject({ scope: 'local', reason: 'queue-full' })
  })

  test('sends a few hundred at once over a bounded number of connections', async () => {
    const { sender, record, provider } = await started(adapter, { atOnce: 3 })
    await Promise.all(Array.from({ length: 300 }, (_, n) => send(sender, mailTo(`n${n}@example.test`))))
    expect(new Set(record.mails.map(({ to }) => to[0])).size).toBe(300)
    expect(provider.mostAtOnce).toBeLessThanOrEqual(3)
  })

  test('a stop lets the mail in hand finish and refuses the next', async () => {
    const { sender, record, faults } = await started(adapter)
    faults.slow(100)
    const sent = send(sender, mailTo('jane@example.test'))
    while (faults.struck === 0) await new Promise(setImmediate)
    await sender.stop()
    await sent
    expect(record.mails).toHaveLength(1)
    const late = await failureOf(send(sender, mailTo('late@example.test')))
    expect(late).toMatchObject({ code: 'mail.temporary', scope: 'local', reason: 'stopped' })
    await sender.stop()
  })
})
