import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Mail, mailFailureOf } from './index.ts'
import { createSmtpMailSender, type SmtpMailSenderOptions } from './smtp-mail-sender.ts'
import { FaultySmtpServer, type FaultySmtpServerOptions } from './testing/index.ts'

const cleanUp: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function started(server: FaultySmtpServerOptions = {}, options: Partial<SmtpMailSenderOptions> = {}) {
  const provider = await FaultySmtpServer.start(server)
  cleanUp.push(() => provider.stop())
  const from = { name: 'Zoë "Z" <x@y>', address: 'hello@millrace.test' }
  const sender = createSmtpMailSender({ url: provider.url, from, ...options })
  cleanUp.push(() => sender.stop())
  const send = (over: Partial<Mail> = {}) =>
    sender.send(
      {
        to: 'jane@example.test',
        subject: 's',
        text: 't',
        html: '<p>h</p>',
        messageId: '<1@m.test>',
        headers: {},
        ...over,
      },
      { idempotencyKey: '1' },
    )
  const failure = async (over?: Partial<Mail>) => {
    const error = await send(over).catch((reason: unknown) => reason)
    return mailFailureOf(error) ?? error
  }
  return { provider, send, failure }
}

/** A certificate authority that is its own server certificate, for localhost. */
function selfSigned(): { key: string; cert: string } {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  cleanUp.push(() => rmSync(dir, { recursive: true }))
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  execFileSync('openssl', [...args, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

describe('SMTP over TLS with a password', () => {
  const auth = { user: 'mailer@millrace.test', pass: 'p@ss:w/rd ü' }

  test('sends where the certificate is trusted and the password right', async () => {
    const tls = selfSigned()
    const { send, provider } = await started({ tls, auth }, { tls: { ca: tls.cert } })
    await send()
    expect(provider.record.mails).toHaveLength(1)
  })

  test('sends nothing to a server whose certificate is unknown', async () => {
    const { failure, provider } = await started({ tls: selfSigned(), auth })
    expect(await failure()).toMatchObject({ code: 'mail.temporary', scope: 'provider' })
    expect(provider.record.recipients).toEqual([])
  })

  test('a wrong password is no refusal of the mail', async () => {
    const provider = await FaultySmtpServer.start({ auth })
    cleanUp.push(() => provider.stop())
    const url = provider.url.replace(/\/\/[^@]*@/, '//somebody:wrong@')
    const { failure } = await started({}, { url })
    const failed = await failure()
    expect(failed).toMatchObject({ code: 'mail.temporary', scope: 'provider', reason: '535' })
    expect(JSON.stringify(failed)).not.toContain('wrong@')
  })
})

describe('what a reply is about', () => {
  test('a refused sender is about us', async () => {
    const { failure, provider } = await started()
    provider.faults.refuseSender(550)
    expect(await failure()).toMatchObject({ code: 'mail.temporary', scope: 'provider', step: 'session' })
  })

  test.each([421, 554])('a greeting of %d is about the provider', async (code) => {
    const { failure, provider } = await started()
    provider.faults.refuseConnections(code)
    expect(await failure()).toMatchObject({ code: 'mail.temporary', scope: 'provider' })
  })

  test.each([
    [450, '4.2.0 Greylisted', 'message'],
    [452, '4.2.2 Mailbox full', 'message'],
    [451, '4.3.0 Lookup failure', 'provider'],
    [451, '4.4.3 Directory server down', 'provider'],
    [421, '4.7.0 Too many mails', 'provider'],
  ])('%d %s to a recipient is about the %s', async (code, text, scope) => {
    const { failure, provider } = await started()
    provider.faults.defer(code, text)
    expect(await failure()).toMatchObject({ code: 'mail.temporary', scope, reason: String(code) })
  })

  test.each([503, 530])('%d to a recipient is about the session, not about the mail', async (code) => {
    const { failure, provider } = await started()
    provider.faults.refuse('jane@example.test', code, 'not like this')
    expect(await failure()).toMatchObject({ code: 'mail.temporary', scope: 'provider' })
  })
})

describe('international addresses', () => {
  test('ask for SMTPUTF8 only when the local part needs it', async () => {
    const { send, provider } = await started()
    await send({ to: 'jane@bücher.example' })
    await send({ to: 'josé@bücher.example' })
    expect(provider.record.mails.map(({ smtpUtf8 }) => smtpUtf8)).toEqual([false, true])
    expect(provider.record.mails[0]?.headers.get('to')).toEqual(['jane@xn--bcher-kva.example'])
    expect(provider.record.mails[1]?.headers.get('to')).toEqual(['josé@bücher.example'])
  })

  test('a server without SMTPUTF8 gets no mail for them', async () => {
    const { failure, send, provider } = await started({ hideSmtpUtf8: true })
    await send({ to: 'jose@example.test' })
    expect(await failure({ to: 'josé@example.test' })).toMatchObject({
      code: 'mail.refused',
      scope: 'message',
    })
    await send({ to: 'jose@bücher.example' })
    expect(provider.record.mails).toHaveLength(2)
  })
})

test('an idle connection that the server has closed costs no failure', async () => {
  const { send, provider } = await started()
  await send()
  await provider.down()
  await provider.up()
  await send()
  expect(provider.record.mails).toHaveLength(2)
})

test('writes the sender as one quoted name and says nothing of its software', async () => {
  const { send, provider } = await started()
  await send()
  const headers = provider.record.mails[0]?.headers
  expect(headers?.get('from')).toEqual(['=?UTF-8?Q?Zo=C3=AB_=22Z=22_=3Cx=40y=3E?= <hello@millrace.test>'])
  expect(provider.record.mails[0]?.from).toBe('hello@millrace.test')
  expect(headers?.has('x-mailer')).toBe(false)
})
