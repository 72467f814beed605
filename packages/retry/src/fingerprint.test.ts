import fc from 'fast-check'
import { MillraceError } from '@millrace/event'
import { expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { fingerprintOf } from './fingerprint.ts'

const seed = testSeed()

/** What differs from one failure to the next of the same cause. */
const varying = {
  id: fc.uuid(),
  no: fc.nat().map(String),
  address: fc.tuple(fc.stringMatching(/^[a-z]{1,12}$/), fc.stringMatching(/^[a-z]{2,9}\.(org|example)$/)),
  host: fc.ipV4(),
  port: fc.nat({ max: 65_535 }),
  quoted: fc.stringMatching(/^[a-zA-Z ,.]{1,30}$/),
  time: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
}

const messageOf = fc
  .record(varying)
  .map(
    ({ id, no, address, host, port, quoted, time }) =>
      `Order ${id} (no. ${no}) for ${address.join('@')} was refused by ${host}:${port} at ${time.toISOString()}: ` +
      `unknown article "${quoted}", see https://${address[1]}/orders/${no}?q=${port}`,
  )

test(`failures of one cause have one fingerprint, whatever ids, numbers and addresses they name (seed ${seed})`, () => {
  fc.assert(
    fc.property(messageOf, messageOf, (one, other) => {
      const [a, b] = [fingerprintOf(new Error(one)), fingerprintOf(new Error(other))]
      expect(a).toEqual(b)
      expect(a.id).toMatch(/^[0-9a-f]{12}$/)
    }),
    { seed, numRuns: 300 },
  )
})

test(`a fingerprint shows no address and is short, whatever the message (seed ${seed})`, () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('anna@example.org', ' pw=hunter ', '"', '@'),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const { reason } = fingerprintOf(new Error(parts.join('')))
      expect(reason).not.toContain('anna@')
      expect(reason.length).toBeLessThan(400)
      expect(reason.isWellFormed()).toBe(true)
    }),
    { seed, numRuns: 300 },
  )
})

test('causes are told apart by code, name and words', () => {
  const failures: unknown[] = [
    new MillraceError('handler.timeout', 'too slow'),
    new MillraceError('mail.refused', 'too slow'),
    new TypeError('too slow'),
    Object.assign(new Error('too slow'), { code: 'ECONNRESET' }),
    new Error('too slow'),
    new Error('too fast'),
    'too slow',
    undefined,
  ]
  expect(new Set(failures.map((failure) => fingerprintOf(failure).id)).size).toBe(failures.length)
})

test('the reason is for people', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:443 for order 17'), {
    code: 'ECONNREFUSED',
  })
  expect(fingerprintOf(error).reason).toBe('Error ECONNREFUSED: connect ECONNREFUSED <host> for order <n>')
})
