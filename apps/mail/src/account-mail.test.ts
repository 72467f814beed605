import { createMailDelivery, createSmtpMailSender, mailFailureOf } from '@millrace/smtp'
import { FaultySmtpServer, mailFailures } from '@millrace/smtp/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { accountMail, type AccountMailRequest } from './account-mail.ts'
import { createAccountMailer, failureKindOf } from './account-mailer.ts'

const seed = testSeed()

const settings = {
  product: { name: 'Millrace', url: 'http://127.0.0.1:3000' },
  messageIdHost: 'millrace-host',
}
const issuedAtMs = Date.UTC(2026, 10, 21, 21, 15)
const confirm = {
  link: 'http://127.0.0.1:3000/activate?token=abc&next="><script>',
  issuedAtMs,
  expiresAtMs: issuedAtMs + 24 * 3_600_000,
}
const cause = {
  eventId: '01890a5d-ac96-774b-bcce-b302099a8057',
  correlationId: 'c-1',
  to: 'jane@example.test',
}
const requests = {
  activation: { ...cause, kind: 'activation', name: 'Jane', confirm },
  'address-change': { ...cause, kind: 'address-change', name: 'Jane', confirm },
  'sign-up-attempt': { ...cause, kind: 'sign-up-attempt', signInLink: 'http://127.0.0.1:3000/sign-in' },
} as const satisfies Record<AccountMailRequest['kind'], AccountMailRequest>

describe.each(Object.values(requests))('the $kind mail', (request) => {
  const mail = accountMail(request, settings)

  test('says in text and in HTML the same: the link and what to do if it was not you', () => {
    const link =
      request.kind === 'sign-up-attempt'
        ? 'http://127.0.0.1:3000/sign-in'
        : 'http://127.0.0.1:3000/activate?token=abc&next=%22%3E%3Cscript%3E'
    expect(mail.text.split('\n')).toContain(link)
    expect(mail.html).toContain(`href="${link.replaceAll('&', '&amp;')}"`)
    for (const body of [mail.text, mail.html]) expect(body).toMatch(/If (you did not|it was not you)/)
  })

  test('fetches nothing from anywhere and runs nothing', () => {
    expect(mail.html).not.toMatch(/<(?:img|script|link|iframe|object|form)|url\(|src=|\son\w+=/i)
    expect(mail.html).toMatch(/^<!doctype html>\n<html lang="en">/)
  })

  test('is the same mail whenever it is made', () => {
    expect(accountMail(structuredClone(request), settings)).toEqual(mail)
    expect(mail.messageId).toBe('<01890a5d-ac96-774b-bcce-b302099a8057@millrace-host>')
    expect(mail.headers).toMatchObject({ 'X-Correlation-Id': 'c-1', 'Auto-Submitted': 'auto-generated' })
  })
})

test('a confirmation says how long its link works', () => {
  for (const request of [requests.activation, requests['address-change']]) {
    const { text, html } = accountMail(request, settings)
    for (const body of [text, html]) expect(body).toContain('24 hours, until 22 November 2026 at 21:15 UTC')
  }
})

test('the notice of an attempt says nothing that the one who tried has typed', () => {
  const { text, html } = accountMail(requests['sign-up-attempt'], settings)
  expect(text).toMatch(/^Hello,\n/)
  expect(html).not.toContain('Jane')
})

test(`no name becomes markup, a header or a line of its own (seed ${seed})`, () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '<script>alert(1)</script>',
      '"\r\nBcc: x',
      "'><img src=x onerror=1>",
      '&lt;b&gt;',
      '\u202e<b>',
    ),
  )
  const empty = accountMail({ ...requests.activation, name: '' }, settings)
  fc.assert(
    fc.property(name, (given) => {
      const mail = accountMail({ ...requests.activation, name: given }, settings)
      const tags = (html: string) => html.replaceAll(/[^<>]+/g, '')
      expect(tags(mail.html)).toBe(tags(empty.html))
      expect(mail.text.split('\n')).toHaveLength(empty.text.split('\n').length)
      expect({ ...mail, text: '', html: '' }).toEqual({ ...empty, text: '', html: '' })
    }),
    { seed },
  )
})

test('links to http(s) only', () => {
  const bad = { ...requests['sign-up-attempt'], signInLink: 'javascript:alert(1)' }
  expect(() => accountMail(bad, settings)).toThrow(TypeError)
})

test('goes out over SMTP as it was written', async () => {
  const provider = await FaultySmtpServer.start()
  const sender = createSmtpMailSender({
    url: provider.url,
    from: { name: 'Millrace', address: 'hello@millrace.test' },
  })
  const delivery = createMailDelivery(sender)
  const mailer = createAccountMailer(delivery, settings)
  const request = { ...requests.activation, name: 'Zoë 王', to: 'zoë@bücher.example' }
  expect(await mailer.send(request)).toMatchObject({ messageId: accountMail(request, settings).messageId })
  provider.faults.refuse('gone@example.test')
  const refused = await mailer.send({ ...request, to: 'gone@example.test' }).catch((error: unknown) => error)
  expect([mailFailureOf(refused)?.code, failureKindOf(refused)]).toEqual(['mail.refused', 'permanent'])
  await delivery.stop()
  await provider.stop()
  const [mail] = provider.record.mails
  const { text, html, messageId } = accountMail(request, settings)
  expect(mail).toMatchObject({
    messageId,
    smtpUtf8: true,
    subject: 'Please confirm your address for Millrace',
  })
  expect(mail?.text.trim()).toBe(text.trim())
  expect(mail?.html.trim()).toBe(html.trim())
  expect(mail?.headers.get('x-correlation-id')).toEqual(['c-1'])
})

test('a failure asks the consumer for the right thing', () => {
  const { away, putOff, refused, unknown, givenUp } = mailFailures
  const kinds = [away, putOff, refused, unknown, givenUp].map((failure) => failureKindOf(failure()))
  expect(kinds).toEqual(['wait', 'retry', 'permanent', 'retry', 'wait'])
  expect(failureKindOf(new TypeError('a mistake'))).toBe('retry')
})
