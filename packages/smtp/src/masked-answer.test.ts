import { expect, test } from 'vitest'
import { maskedAddress, maskedAnswer } from './masked-answer.ts'

test.each([
  ['550 5.1.1 <jane.doe@example.org>: no such user', '550 5.1.1 <j***@example.org>: no such user'],
  ['550-line one\r\n550 "john doe"@example.org unknown', '550-line one 550 "***@example.org unknown'],
  ['554 see https://help.test/?t=secret&u=1 for jane@[10.0.0.1]', '554 see https://*** for j***@[10.0.0.1]'],
  ['550 用户@例え.テスト is gone', '550 用***@例え.テスト is gone'],
  ['bell \u0007 and bidi \u202e here', 'bell and bidi here'],
])('%j is masked as %j', (answer, masked) => {
  expect(maskedAnswer(answer)).toBe(masked)
})

test('an answer is bounded', () => {
  expect(maskedAnswer('x'.repeat(10_000))).toHaveLength(300)
  const started = performance.now()
  maskedAnswer(`${'"'.repeat(50_000)}@`)
  expect(performance.now() - started).toBeLessThan(2_000)
})

test('an address keeps its first character and its host', () => {
  expect(maskedAddress('jane@example.org')).toBe('j***@example.org')
  expect(maskedAddress('nothing')).toBe('***')
})
