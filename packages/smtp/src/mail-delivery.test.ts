import { afterEach, describe, expect, test } from 'vitest'
import { MailBreaker } from './mail-breaker.ts'
import { createMailDelivery, type DeliverySettings, type MailDelivery } from './mail-delivery.ts'
import { mailError, mailFailureOf } from './mail-failure.ts'
import type { Mail, MailSender, SendReceipt } from './mail-sender.ts'
import { createRestMailSender } from './rest-mail-sender.ts'
import { createSmtpMailSender } from './smtp-mail-sender.ts'
import { FaultyMailApi, FaultySmtpServer } from './testing/index.ts'

const quick = { failures: 3, firstProbeMs: 8, maxProbeMs: 40, retryMs: 2, deferMs: 77 } as const
const from = { address: 'hello@millrace.test' }

const cleanUp: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

function mailTo(to: string): Mail {
  return { to, subject: 's', text: 't', html: '<p>h</p>', messageId: `<${to}>`, headers: {} }
}

const deliver = (delivery: MailDelivery, to: string, signal?: AbortSignal) =>
  delivery.deliver(mailTo(to), { idempotencyKey: to, ...(signal === undefined ? {} : { signal }) })

/** A sender that does what the test says for each mail, and notes who was tried. */
function scripted(answer: (mail: Mail, tries: readonly string[]) => Promise<void> | void) {
  const tries: string[] = []
  const sender: MailSender = {
    deduplicates: false,
    async send(mail): Promise<SendReceipt> {
      tries.push(mail.to)
      await answer(mail, tries)
      return { messageId: mail.messageId, answer: 'ok' }
    },
    stop: () => Promise.resolve(),
  }
  return { sender, tries }
}

function started(sender: MailSender, settings: Partial<DeliverySettings> = {}) {
  const delivery = createMailDelivery(sender, { ...quick, ...settings })
  const states: string[] = []
  delivery.onStateChange((state) => states.push(state))
  cleanUp.push(() => delivery.stop())
  return { delivery, states }
}

const away = () => mailError('mail.temporary', { scope: 'provider', step: 'connect', reason: 'ECONNREFUSED' })
const putOff = () => mailError('mail.temporary', { scope: 'message', step: 'recipient', reason: '451' })
const refused = () => mailError('mail.refused', { scope: 'message', step: 'recipient', reason: '550' })
const unknown = () => mailError('mail.unknown', { scope: 'provider', step: 'answer', reason: 'ECONNRESET' })

/** Resolves when the delivery reaches the state. */
function reached(delivery: MailDelivery, wanted: string): Promise<void> {
  if (delivery.state === wanted) return Promise.resolve()
  return new Promise((resolve) => {
    const forget = delivery.onStateChange((state) => {
      if (state !== wanted) return
      forget()
      resolve()
    })
  })
}

describe('the breaker', () => {
  test('opens after so many provider failures in a row and probes ever more slowly', async () => {
    let up = false
    const { sender, tries } = scripted(() => {
      if (!up) throw away()
    })
    const { delivery, states } = started(sender)
    const pauses: number[] = []
    delivery.onStateChange((state) => {
      const { probeAt, since } = delivery.status()
      if (state === 'open' && probeAt !== undefined) pauses.push(Math.round((probeAt - since) / 4) * 4)
      if (pauses.length === 5) up = true
    })
    const result = await deliver(delivery, 'a')
    expect(result.outcome).toBe('sent')
    expect(pauses).toEqual([8, 16, 32, 40, 40])
    expect(tries).toHaveLength(3 + 5)
    expect(states.slice(0, 3)).toEqual(['open', 'half-open', 'open'])
    expect(states.slice(-2)).toEqual(['half-open', 'closed'])
    expect(delivery.status().lastFailure).toMatchObject({ scope: 'provider', reason: 'ECONNREFUSED' })
  })

  test('stays closed when single addresses are refused or put off', async () => {
    const { sender } = scripted(({ to }) => {
      throw to.startsWith('gone') ? refused() : putOff()
    })
    const { delivery, states } = started(sender)
    const names = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? `gone${n}` : `grey${n}`))
    const results = await Promise.all(names.map((to) => deliver(delivery, to)))
    expect(results.map(({ outcome }) => outcome)).toEqual(
      names.map((_, n) => (n % 2 === 0 ? 'refused' : 'deferred')),
    )
    expect(states).toEqual([])
  })

  test('takes a refusal in between as a sign of life', async () => {
    const breaker = new MailBreaker(quick)
    const attempt = (error: () => Error) => breaker.attempt(() => Promise.reject(error()))
    for (const error of [away, away, refused, away, unknown]) await attempt(error)
    expect(breaker.state).toBe('closed')
    await attempt(away)
    expect(breaker.state).toBe('open')
    expect(await attempt(away)).toEqual({ kind: 'not-allowed' })
  })

  test('lets the backlog go in its order when the provider is back, and has spent no attempt', async () => {
    let up = false
    const { sender, tries } = scripted(() => {
      if (!up) throw away()
    })
    const { delivery } = started(sender)
    const names = Array.from({ length: 40 }, (_, n) => `n${n}`)
    const results = Promise.all(names.map((to) => deliver(delivery, to)))
    await reached(delivery, 'open')
    await reached(delivery, 'half-open')
    await reached(delivery, 'open')
    expect(delivery.status().waiting).toBeGreaterThanOrEqual(39)
    const before = tries.length
    up = true
    expect((await results).map(({ outcome }) => outcome)).toEqual(names.map(() => 'sent'))
    expect(before).toBeLessThanOrEqual(3 + 3 + 2)
    expect(tries.slice(before)).toEqual(names)
  })

  test('one mail that the provider chokes on does not hold up the others for ever', async () => {
    const { sender, tries } = scripted(({ to }) => {
      if (to === 'poison') throw away()
    })
    const { delivery } = started(sender, { failures: 1, probesPerMail: 2 })
    const poison = deliver(delivery, 'poison')
    await reached(delivery, 'open')
    const others = ['b', 'c', 'd'].map((to) => deliver(delivery, to))
    for (const result of await Promise.all(others)) expect(result.outcome).toBe('sent')
    expect(tries.slice(0, 4)).toEqual(['poison', 'poison', 'poison', 'b'])
    // Others get through each time in between, so its attempts are spent and it steps aside.
    const going = setInterval(() => void deliver(delivery, 'more').catch(() => undefined), 1)
    const result = await poison
    clearInterval(going)
    expect(result).toMatchObject({ outcome: 'deferred', retryAfterMs: 77 })
  })

  test('a probe that was given up does not leave the breaker open for ever', async () => {
    let up = false
    const { sender } = scripted(async () => {
      if (!up) throw away()
    })
    const { delivery } = started(sender, { failures: 1 })
    const controller = new AbortController()
    const first = deliver(delivery, 'a', controller.signal)
    await reached(delivery, 'open')
    const second = deliver(delivery, 'b')
    controller.abort()
    expect(mailFailureOf(await first.catch((error: unknown) => error))).toMatchObject({ reason: 'aborted' })
    up = true
    expect((await second).outcome).toBe('sent')
  })

  test('an attempt that we give up ourselves neither opens nor closes it', async () => {
    const local = () => mailError('mail.temporary', { scope: 'local', step: 'queue', reason: 'aborted' })
    let fail = local
    const { sender } = scripted(() => {
      throw fail()
    })
    const { delivery, states } = started(sender, { failures: 2 })
    for (let n = 0; n < 5; n += 1)
      await expect(deliver(delivery, `n${n}`)).rejects.toThrow('could not be sent')
    expect(states).toEqual([])
    fail = away
    const waiting = deliver(delivery, 'a').catch(() => 'given up')
    await reached(delivery, 'open')
    fail = local
    await waiting
    expect(states).toEqual(['open', 'half-open', 'open'])
  })

  test('tells a loop when reading on makes sense', async () => {
    let up = false
    const { sender } = scripted(() => {
      if (!up) throw away()
    })
    const { delivery } = started(sender, { failures: 1 })
    await delivery.waitUntilAllowed()
    const controller = new AbortController()
    const first = deliver(delivery, 'a', controller.signal).catch(() => undefined)
    await reached(delivery, 'open')
    const allowed = delivery.waitUntilAllowed()
    const impatient = delivery.waitUntilAllowed(AbortSignal.timeout(1))
    await expect(impatient).rejects.toThrow('aborted')
    controller.abort()
    await first
    // Nobody else waits, so whoever comes is the probe: the loop must not sleep through it.
    await allowed
    up = true
    expect((await deliver(delivery, 'b')).outcome).toBe('sent')
    expect(delivery.state).toBe('closed')
  })

  test('a stop lets go of everybody who waits', async () => {
    const { sender } = scripted(() => {
      throw away()
    })
    const { delivery } = started(sender, { firstProbeMs: 60_000 })
    const waiting = [
      ...['a', 'b', 'c'].map((to) => deliver(delivery, to)),
      reached(delivery, 'open').then(() => delivery.waitUntilAllowed()),
    ].map((wait) => wait.then(() => undefined, mailFailureOf))
    await reached(delivery, 'open')
    await delivery.stop()
    const reasons = (await Promise.all(waiting)).map((failure) => failure?.reason)
    expect(reasons).toEqual(Array(4).fill('stopped'))
    await expect(deliver(delivery, 'late')).rejects.toMatchObject({ code: 'mail.temporary' })
  })
})

describe('one mail', () => {
  test('is tried again when it was put off, and put off for longer in the end', async () => {
    const { sender, tries } = scripted(({ to }, all) => {
      if (to === 'never' || all.filter((name) => name === to).length < 3) throw putOff()
    })
    const { delivery } = started(sender)
    expect((await deliver(delivery, 'third')).outcome).toBe('sent')
    expect(await deliver(delivery, 'never')).toMatchObject({ outcome: 'deferred', retryAfterMs: 77 })
    expect(tries).toEqual(['third', 'third', 'third', 'never', 'never', 'never'])
  })

  test('that may have been sent is repeated, but not without end', async () => {
    const { sender, tries } = scripted(() => {
      throw unknown()
    })
    const { delivery } = started(sender, { failures: 100 })
    const result = await deliver(delivery, 'a')
    expect(result).toMatchObject({ outcome: 'deferred', error: { code: 'mail.unknown' } })
    expect(tries).toHaveLength(3)
  })

  test('that is refused is not repeated, and brings the answer', async () => {
    const { sender, tries } = scripted(() => {
      throw refused()
    })
    const { delivery } = started(sender)
    expect(await deliver(delivery, 'a')).toMatchObject({
      outcome: 'refused',
      error: { code: 'mail.refused', details: { reason: '550' } },
    })
    expect(tries).toHaveLength(1)
  })

  test('a mistake in the code is thrown as it is', async () => {
    const { sender } = scripted(() => {
      throw new TypeError('no')
    })
    const { delivery, states } = started(sender)
    await expect(deliver(delivery, 'a')).rejects.toThrow(TypeError)
    expect(states).toEqual([])
  })
})

describe('with real providers', () => {
  test('SMTP goes down under load and comes back: everybody gets one mail, in order', async () => {
    const provider = await FaultySmtpServer.start()
    cleanUp.push(() => provider.stop())
    const sender = createSmtpMailSender({ url: provider.url, from, limits: { maxConnections: 1 } })
    const { delivery, states } = started(sender, { atOnce: 1 })
    const names = Array.from({ length: 60 }, (_, n) => `n${n}@example.test`)
    await Promise.all(names.slice(0, 10).map((to) => deliver(delivery, to)))
    await provider.down()
    const rest = Promise.all(names.slice(10).map((to) => deliver(delivery, to)))
    await reached(delivery, 'half-open')
    await provider.up()
    for (const { outcome } of await rest) expect(outcome).toBe('sent')
    expect(provider.record.mails.map(({ to }) => to[0])).toEqual(names)
    expect(states.at(-1)).toBe('closed')
  })

  test('SMTP hangs up after DATA: the repeat carries the same Message-ID', async () => {
    const provider = await FaultySmtpServer.start()
    cleanUp.push(() => provider.stop())
    const { delivery } = started(createSmtpMailSender({ url: provider.url, from }))
    provider.faults.cutAnswer(1)
    const result = await deliver(delivery, 'jane@example.test')
    expect(result).toMatchObject({ outcome: 'sent', receipt: { messageId: '<jane@example.test>' } })
    expect(provider.record.mails.map(({ messageId }) => messageId)).toEqual(
      Array(2).fill('<jane@example.test>'),
    )
  })

  test('REST asks to wait: the pause is at least what Retry-After says', async () => {
    const provider = await FaultyMailApi.start()
    cleanUp.push(() => provider.stop())
    const sender = createRestMailSender({ url: provider.url, token: provider.token, from })
    const { delivery } = started(sender, { failures: 1 })
    provider.retryAfter = '7'
    provider.faults.refuseConnections(429, 'slow down', 1)
    const controller = new AbortController()
    const sent = deliver(delivery, 'jane@example.test', controller.signal).catch(() => 'given up')
    await reached(delivery, 'open')
    const { probeAt = 0, since } = delivery.status()
    expect(probeAt - since).toBeGreaterThanOrEqual(6_990)
    controller.abort()
    expect(await sent).toBe('given up')
    expect(provider.record.mails).toEqual([])
  })
})
