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

test.each(['x', '"', 'a@', 'a://', ' '])('an answer of many %j is bounded, and takes no time', (part) => {
  const from = process.cpuUsage()
  expect(maskedAnswer(`${part.repeat(60_000)}@`).length).toBeLessThanOrEqual(300)
  expect(process.cpuUsage(from).user / 1_000).toBeLessThan(1_000)
})

test('of a long answer no half of an address is shown', () => {
  const link = `https://help.test/${'x'.repeat(3_920)}`
  for (let more = 0; more < 60; more += 1)
    expect(maskedAnswer(`${link}${'x'.repeat(more)} for jane.doe@example.org, please`)).not.toContain('jane')
})

test('an address keeps its first character and its host', () => {
  expect(maskedAddress('jane@example.org')).toBe('j***@example.org')
  expect(maskedAddress('nothing')).toBe('***')
})
