import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { mailAddress } from './mail-address.ts'
import { mailFailureOf } from './mail-failure.ts'

const seed = testSeed()

describe('an address for the envelope', () => {
  test.each([
    ['jane@example.org', 'jane@example.org', false],
    ['Jane.Doe+tag@EXAMPLE.org', 'Jane.Doe+tag@example.org', false],
    ['jane@BÜCHER.example', 'jane@xn--bcher-kva.example', false],
    ['дмитрий@почта.рф', 'дмитрий@xn--80a1acny.xn--p1ai', true],
    ['"john doe"@example.org', '"john doe"@example.org', false],
    ['jane@[127.0.0.1]', 'jane@[127.0.0.1]', false],
    ['jane@[IPv6:2001:db8::1]', 'jane@[IPv6:2001:db8::1]', false],
  ])('%j becomes %j', (input, address, international) => {
    expect(mailAddress(input)).toEqual({ address, international })
  })

  test.each([
    'jane',
    'jane@',
    '@example.org',
    'jane@@example.org',
    'jane doe@example.org',
    'jane@exam ple.org',
    'jane@example..org',
    '.jane@example.org',
    'jane.@example.org',
    'jane@example.org:25',
    'jane@user:x@example.org',
    'jane@[not-an-ip]',
    'jane@example.org>',
    '<jane@example.org>',
    '"a<b"@example.org',
    '"a\r\nb"@example.org',
    'jane\0@example.org',
    'jane\ud800@example.org',
    'jane@example.org\r\nRCPT TO:<x@y.test>',
    `${'a'.repeat(65)}@example.org`,
    `a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(63)}`,
    `a@${'b'.repeat(64)}.org`,
    `${'ü'.repeat(33)}@example.org`,
  ])('%j is refused', (input) => {
    expect(() => mailAddress(input)).toThrow(expect.objectContaining({ code: 'mail.refused' }))
  })

  test(`whatever passes can be written into RCPT TO:<…> (seed ${seed})`, () => {
    const part = fc.string({ unit: 'binary', maxLength: 20 })
    fc.assert(
      fc.property(part, part, (local, domain) => {
        expect(passedOrRefused(`${local}@${domain}`)).not.toMatch(/[\p{Cc}<>]|\r|\n/u)
      }),
      { seed, numRuns: 2_000 },
    )
  })
})

function passedOrRefused(address: string): string {
  try {
    return mailAddress(address).address
  } catch (error) {
    if (mailFailureOf(error)?.code === 'mail.refused') return ''
    throw error
  }
}
