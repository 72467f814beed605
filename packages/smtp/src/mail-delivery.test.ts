import { describe, expect, onTestFinished, test } from 'vitest'
import { createRestMailSender } from './rest-mail-sender.ts'
import { createSmtpMailSender } from './smtp-mail-sender.ts'
import { FaultyMailApi, FaultySmtpServer, mailFailures, reached, scriptedSender } from './testing/index.ts'
import { deliver, started } from './testing/quick-delivery.ts'

const { putOff, refused, unknown } = mailFailures
const from = { address: 'hello@millrace.test' }

describe('one mail', () => {
  test('is tried again when it was put off, and put off for longer in the end', async () => {
    const { sender, tries } = scriptedSender(({ to }, all) => {
      if (to === 'never' || all.filter((name) => name === to).length < 3) throw putOff()
    })
    const { delivery } = started(sender)
    expect((await deliver(delivery, 'third')).outcome).toBe('sent')
    expect(await deliver(delivery, 'never')).toMatchObject({ outcome: 'deferred', retryAfterMs: 77 })
    expect(tries).toEqual(['third', 'third', 'third', 'never', 'never', 'never'])
  })

  test('that may have been sent is repeated, but not without end', async () => {
    const { sender, tries } = scriptedSender(() => {
      throw unknown()
    })
    const { delivery } = started(sender, { failures: 100 })
    const result = await deliver(delivery, 'a')
    expect(result).toMatchObject({ outcome: 'deferred', error: { code: 'mail.unknown' } })
    expect(tries).toHaveLength(3)
  })

  test('that is refused is not repeated, and brings the answer', async () => {
    const { sender, tries } = scriptedSender(() => {
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
    const { sender } = scriptedSender(() => {
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
    onTestFinished(() => provider.stop())
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
    onTestFinished(() => provider.stop())
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
    onTestFinished(() => provider.stop())
    const sender = createRestMailSender({ url: provider.url, token: provider.token, from })
    const { delivery } = started(sender, { failures: 1 })
    provider.retryAfter = '7'
    provider.faults.refuseConnections(429, 'slow down', 1)
    const controller = new AbortController()
    const askedAtMs = Date.now()
    const sent = deliver(delivery, 'jane@example.test', controller.signal).catch(() => 'given up')
    await reached(delivery, 'open')
    expect(delivery.status().probeAt).toBeGreaterThanOrEqual(askedAtMs + 7_000)
    controller.abort()
    expect(await sent).toBe('given up')
    expect(provider.record.mails).toEqual([])
  })
})
