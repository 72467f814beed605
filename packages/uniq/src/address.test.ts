import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { parseAddress } from './address.ts'

const seed = testSeed()

const long = (count: number) => 'x'.repeat(count)

describe('an address', () => {
  test.each([
    ['anna@example.org', 'example.org'],
    ['  Anna.Berg+shop@Example.ORG \n', 'example.org'],
    ['zoë@bücher.example', 'xn--bcher-kva.example'],
    ['用户@例子.广告', 'xn--fsqu00a.xn--4rr70v'],
    ["o'hara!#$%&*/=?^_`{|}~-@a.b-c.example", 'a.b-c.example'],
    [`${long(64)}@example.org`, 'example.org'],
    ['straße@straße.example', 'xn--strae-oqa.example'],
  ])('%s is one', (text, host) => {
    expect(parseAddress(text)).toMatchObject({ ok: true, address: { host } })
  })

  test.each([
    ['', 'needed'],
    ['   ', 'needed'],
    ['anna', 'no @'],
    ['@example.org', 'before the @'],
    ['anna@', 'after the @'],
    ['"anna berg"@example.org', 'Quoted'],
    ['anna(comment)@example.org', 'Comments'],
    ['anna@example.org(comment)', 'space or a comment'],
    ['anna@[127.0.0.1]', 'IP number'],
    ['anna@127.0.0.1', 'IP number'],
    ['anna@[IPv6:::1]', 'IP number'],
    ['anna@localhost', 'no host name'],
    ['anna@-x.example', 'no host name'],
    ['anna@x..example', 'no host name'],
    ['anna@ex_ample.org', 'no host name'],
    [`anna@${long(64)}.example`, 'no host name'],
    ['anna..berg@example.org', 'dot'],
    ['.anna@example.org', 'dot'],
    ['anna.@example.org', 'dot'],
    ['anna@berg@example.org', 'more than one @'],
    ['anna berg@example.org', 'space'],
    ['anna\u00a0berg@example.org', 'space'],
    ['an\u0000na@example.org', 'control'],
    ['anna\r\nBcc: all@example.org', 'control'],
    ['an\u200dna@example.org', 'invisible'],
    ['an\u00adna@example.org', 'invisible'],
    ['\ud800@example.org', 'surrogate'],
    ['anna@example\udc00.org', 'surrogate'],
    ['<anna@example.org>', 'character'],
    ['a,b@example.org', 'character'],
    [`${long(65)}@example.org`, 'longer than 64'],
    [`${long(60)}@${`${long(60)}.`.repeat(4)}org`, 'longer than 254'],
  ])('%j is refused in words', (text, words) => {
    const result = parseAddress(text)
    expect(result.ok ? 'taken' : result.message).toContain(words)
  })

  test(`of any text there is a yes or a no, and a yes is stable (seed ${seed})`, () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.emailAddress(),
      fc
        .tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
        .map(([a, b]) => `${a}@${b}.example`),
    )
    fc.assert(
      fc.property(anything, (text) => {
        const result = parseAddress(text)
        if (!result.ok) return result.message.length > 0
        const again = parseAddress(result.address.text)
        return (
          again.ok &&
          again.address.host === result.address.host &&
          again.address.local === result.address.local
        )
      }),
      { seed, numRuns: 2_000, verbose: true },
    )
  })

  test(`is read in the short way as in the exact one, which blanks around it lead to (seed ${seed})`, () => {
    const near = fc.string({ unit: fc.constantFrom(...Array.from('aAz019.-_+xnÉ@" \u0000')), maxLength: 12 })
    const label = fc.constantFrom(
      'example',
      'xn--bcher-kva',
      'xn--',
      '0x7f',
      '127',
      '1',
      'a',
      'ORG',
      'a-',
      'é',
    )
    const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
    const text = fc.oneof(
      near,
      fc.tuple(near, near).map(([a, b]) => `${a}@${b}`),
      fc.tuple(near, host).map(([a, b]) => `${a}@${b}`),
      fc
        .tuple(fc.integer({ min: 60, max: 70 }), fc.integer({ min: 170, max: 200 }))
        .map(([a, b]) => `${long(a)}@${`${long(50)}.`.repeat(Math.floor(b / 51))}${long(b % 51)}.org`),
      fc.emailAddress(),
    )
    fc.assert(
      fc.property(text, (address) => {
        expect(parseAddress(address)).toEqual(parseAddress(` ${address} `))
      }),
      { seed, numRuns: 5_000, verbose: true },
    )
  })
})
