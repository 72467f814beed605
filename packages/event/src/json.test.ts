import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { parseJson } from './json.ts'

const seed = testSeed()

const invalid = (code = 'json.invalid'): unknown => expect.objectContaining({ code })

describe('JSON from outside', () => {
  test.each([
    ['not JSON', '{'],
    ['a prototype key', '{"a":[{"__proto__":{"admin":true}}]}'],
    ['a prototype key in disguise', '{"\\u005f_proto__":1}'],
    ['a constructor', '{"constructor":{"prototype":{}}}'],
    ['half of a surrogate pair', '["\\ud800"]'],
    ['half of a surrogate pair in a name', '{"\\udc00":1}'],
    ['deep nesting', '['.repeat(33) + ']'.repeat(33)],
    ['very deep nesting', '['.repeat(1_000_000)],
  ])('with %s is refused', (_, text) => {
    expect(() => parseJson(text)).toThrow(invalid())
  })

  test('brackets within texts do not count as nesting', () => {
    expect(parseJson(JSON.stringify('[['.repeat(100)))).toHaveLength(200)
    expect(parseJson(JSON.stringify('\\"[['.repeat(100)))).toHaveLength(400)
    expect(() => parseJson('[[[1]]]', { depth: 2 })).toThrow(invalid())
    expect(parseJson('[[1]]', { depth: 2 })).toEqual([[1]])
    expect(() => parseJson('"abc"', { length: 4 })).toThrow(invalid())
  })

  test(`what is safe comes through as JSON.parse gives it (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value)
        let parsed: unknown
        try {
          parsed = parseJson(text)
        } catch {
          return /__proto__|constructor|prototype|\\ud[89a-f]/i.test(text)
        }
        expect(parsed).toEqual(JSON.parse(text))
        return true
      }),
      { seed, numRuns: 1_000, verbose: true },
    )
  })
})
