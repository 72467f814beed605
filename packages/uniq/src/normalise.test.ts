import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { normaliserAt, normalisers } from './normalise.ts'

const seed = testSeed()

const email = normaliserAt(normalisers, 'email', 1)
const text = normaliserAt(normalisers, 'text', 1)

describe('normal forms', () => {
  test.each([
    ['Anna@Example.ORG', 'anna@example.org'],
    [' ZOË@bücher.example ', 'zoe\u0308@xn--bcher-kva.example'],
    ['ÅSA@EXAMPLE.ORG', '\u212bsa@example.org'],
    ['anna@BÜCHER.example', 'anna@XN--BCHER-KVA.example'],
  ])('%s and %s are one address', (a, b) => {
    expect(email(a)).toBe(email(b))
  })

  test('addresses that differ in more than form stay apart', () => {
    expect(
      new Set(['anna@example.org', 'anna+x@example.org', 'an.na@example.org', 'anna@example.com'].map(email))
        .size,
    ).toBe(4)
  })

  test('both forms of the small sigma are one letter, wherever the word ends', () => {
    const forms = ['σωκράτης.a@example.org', 'ΣΩΚΡΆΤΗΣ.A@example.org', 'σωκράτησ.a@example.org']
    expect(new Set(forms.map(email)).size).toBe(1)
    expect(text('ΣΩΚΡΆΤΗΣ')).toBe(text('σωκράτης'))
  })

  test(`a normal form is its own normal form (seed ${seed})`, () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((value) => value.trim() !== '' && value.isWellFormed())
    fc.assert(
      fc.property(
        word,
        (value) =>
          text(text(value)) === text(value) &&
          text(` ${value.normalize('NFD')}`) === text(value.normalize('NFC')),
      ),
      { seed, numRuns: 2_000, verbose: true },
    )
  })

  test('a value without a normal form is refused', () => {
    expect(() => text('  ')).toThrow(expect.objectContaining({ code: 'event.invalid' }))
    expect(() => email('nonsense')).toThrow(expect.objectContaining({ code: 'event.invalid' }))
    expect(() => normaliserAt(normalisers, 'constructor', 1)).toThrow(TypeError)
  })
})
