import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { maskedData, maskedKey, maskedStory } from './masked-story.ts'

const seed = testSeed()
const address = 'anna.berg@example.org'

test('keys that are addresses are masked, others can be read', () => {
  expect(['order-17', 'a:b/c', 'Ünicode', address].map(maskedKey)).toEqual([
    'order-17',
    'a:b/c',
    'Ünicode',
    'a***@example.org',
  ])
})

test('error, stack and data lose addresses and secrets, and stay bounded', () => {
  const story = maskedStory({
    type: 'T',
    eventId: 'e',
    reason: 'mail.refused',
    error: `550 ${address} ${'x '.repeat(2_000)}`,
    stack: `Error: ${address}\n    at send (smtp.ts:1:1)\n${'    at f\n'.repeat(2_000)}`,
    data: { email: address, passwordHash: 'abc', nested: [{ token: 'xyz', name: 'Anna' }], n: 1 },
  })
  expect(JSON.stringify(story)).not.toContain('anna.berg')
  expect(story.data).toEqual({
    email: 'a***@example.org',
    passwordHash: '***',
    nested: [{ token: '***', name: 'Anna' }],
    n: 1,
  })
  expect([story.error.length, story.stack?.length]).toEqual([1_000, 4_000])
})

test(`no address gets through, wherever it stands, and what is shown is bounded (seed ${seed})`, () => {
  const leaf = fc.oneof(fc.constant(address), fc.constant(`to <${address}>;`), fc.string(), fc.integer())
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6 },
      leaf,
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('tree'), { maxKeys: 5 }),
    ),
  }))
  fc.assert(
    fc.property(tree, (data) => {
      const text = JSON.stringify(maskedData(data)) ?? ''
      expect(text).not.toContain('anna.berg')
      expect(text.length).toBeLessThanOrEqual(4_000)
    }),
    { seed, numRuns: 300 },
  )
})
