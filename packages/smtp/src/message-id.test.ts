import { expect, test } from 'vitest'
import { messageIdOf } from './message-id.ts'

test('a Message-ID is the event id at our host', () => {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'
  expect(messageIdOf(id, 'millrace-host')).toBe(`<${id}@millrace-host>`)
})

test('an id of another making becomes a stable one', () => {
  const odd = 'order 7 <ü>\r\nBcc: x@y.test'
  expect(messageIdOf(odd, 'm.test')).toMatch(/^<[0-9a-f-]{36}@m\.test>$/)
  expect(messageIdOf(odd, 'm.test')).toBe(messageIdOf(odd, 'm.test'))
  expect(messageIdOf(odd, 'm.test')).not.toBe(messageIdOf(`${odd}!`, 'm.test'))
})

test.each(['', 'a b', '-a', 'a>', 'a\r\n'])('%j is no host', (host) => {
  expect(() => messageIdOf('1', host)).toThrow(TypeError)
})
