import { afterEach, expect, test } from 'vitest'
import { createMailSender } from './mail-provider.ts'
import type { Mail } from './mail-sender.ts'
import { FaultyMailApi, FaultySmtpServer } from './testing/index.ts'

const from = { name: 'Millrace', address: 'hello@millrace.test' }
const mail: Mail = {
  to: 'jane@example.test',
  subject: 's',
  text: 't',
  html: '<p>h</p>',
  messageId: '<1@m.test>',
  headers: {},
}

const cleanUp: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

test('a URL says which of the two it is, and carries the secret', async () => {
  const smtp = await FaultySmtpServer.start({ auth: { user: 'u', pass: 'p/w' } })
  const api = await FaultyMailApi.start('a/token')
  cleanUp.push(
    () => smtp.stop(),
    () => api.stop(),
  )
  for (const url of [
    smtp.url,
    api.url.replace('//', '//a%2Ftoken@'),
    api.url.replace('//', '//:a%2Ftoken@'),
  ]) {
    const sender = createMailSender(url, from)
    cleanUp.push(() => sender.stop())
    await sender.send(mail, { idempotencyKey: url.slice(0, 30) })
  }
  expect(smtp.record.mails).toHaveLength(1)
  expect(api.record.mails).toHaveLength(2)
})

test.each(['', 'ftp://x', 'https://api.test/emails', 'http://token@api.test/emails'])(
  '%j is refused in one sentence',
  (url) => {
    expect(() => createMailSender(url, from)).toThrow(TypeError)
  },
)
