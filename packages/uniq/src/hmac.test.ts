import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { hmacSha256 } from './hmac.ts'

const seed = testSeed()

describe('HMAC-SHA-256', () => {
  test('of RFC 4231', () => {
    expect(hmacSha256(Buffer.alloc(20, 0x0b))('Hi There').toString('hex')).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
    const long = 'Test Using Larger Than Block-Size Key - Hash Key First'
    expect(hmacSha256(Buffer.alloc(131, 0xaa))(long).toString('hex')).toBe(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    )
  })

  test(`is that of Node for every key and text, one after the other (seed ${seed})`, () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 200 })
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 1_500 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(key, texts, (secret, all) => {
        const hmac = hmacSha256(secret)
        for (const text of all)
          expect(hmac(text).toString('hex')).toBe(createHmac('sha256', secret).update(text).digest('hex'))
      }),
      { seed },
    )
  })
})
