import { expect, test } from 'vitest'
import { randomOf, testSeed } from '../../../test/support/random.ts'
import { createMailDelivery } from './mail-delivery.ts'
import { createSmtpMailSender } from './smtp-mail-sender.ts'
import { FaultySmtpServer } from './testing/index.ts'

const seed = testSeed()

test(`everybody gets a mail in a storm of faults, and twice only what was in flight (seed ${seed})`, async () => {
  const random = randomOf(seed)
  const provider = await FaultySmtpServer.start()
  const sender = createSmtpMailSender({ url: provider.url, from: { address: 'hello@millrace.test' } })
  const delivery = createMailDelivery(sender, {
    failures: 3,
    firstProbeMs: 5,
    maxProbeMs: 20,
    retryMs: 2,
    deferMs: 5,
  })
  const names = Array.from({ length: 150 }, (_, n) => `n${n}@example.test`)
  const gone = new Set(names.filter(() => random() < 0.05))
  for (const name of gone) provider.faults.refuse(name)

  let downs = 0
  const faults: (() => Promise<void> | void)[] = [
    () => provider.faults.cutAnswer(2),
    () => provider.faults.cutBody(2),
    () => provider.faults.defer(451, '4.2.0 later', 3),
    () => provider.faults.refuseConnections(421, '4.3.2 busy', 4),
    () => provider.faults.refuseContent(451, '4.3.0 scanner down', 2),
    async () => {
      downs += 1
      await provider.down()
      await new Promise((resolve) => setTimeout(resolve, 20))
      await provider.up()
    },
  ]
  let over = false
  const storm = (async () => {
    for (let n = 0; n < 25 && !over; n += 1) {
      await provider.record.received(Math.min(n * 5, 100))
      await faults[Math.floor(random() * faults.length)]?.()
    }
  })()

  const outcomes = await Promise.all(
    names.map(async (to) => {
      const mail = { to, subject: 's', text: 't', html: '<p>h</p>', messageId: `<${to}>`, headers: {} }
      for (;;) {
        const result = await delivery.deliver(mail, { idempotencyKey: to })
        if (result.outcome !== 'deferred') return result.outcome
        await new Promise((resolve) => setTimeout(resolve, result.retryAfterMs))
      }
    }),
  )
  over = true
  await storm
  await delivery.stop()
  await provider.stop()

  expect(outcomes).toEqual(names.map((name) => (gone.has(name) ? 'refused' : 'sent')))
  expect(provider.faults.struck).toBeGreaterThan(10)
  const mails = provider.record.mails
  const reached = new Set(mails.map(({ to }) => to[0]))
  expect(names.filter((name) => !reached.has(name) && !gone.has(name))).toEqual([])
  // What may come twice: mails whose answer was cut, and those on the four connections when it went down.
  const inFlight = mails.filter(({ answered }) => !answered).length + 4 * downs
  expect(mails.length - reached.size).toBeLessThanOrEqual(inFlight)
  expect(mails.filter(({ messageId, to }) => messageId !== `<${to[0]}>`)).toEqual([])
})
