import { expect, test } from 'vitest'
import { greetingOf } from './greeting.ts'

test.each([
  ['Jane', 'Hello Jane,'],
  ['  Jane\tvan  der Berg ', 'Hello Jane van der Berg,'],
  ['José Núñez-Őry', 'Hello José Núñez-Őry,'],
  ['J. R. R. Tolkien', 'Hello J. R. R. Tolkien,'],
  ['王小明', 'Hello 王小明,'],
  ['مریم‌السادات', 'Hello مریم‌السادات,'],
  ['👩‍👩‍👧 family', 'Hello 👩‍👩‍👧 family,'],
  ["O'Hara & <Sons>", "Hello O'Hara & <Sons>,"],
  ['<script>alert(1)</script>', 'Hello <script>alert(1)</script>,'],
  ['"\r\nBcc: all the world', 'Hello " Bcc: all the world,'],
  ['Jane\u202eeoD', 'Hello Jane eoD,'],
])('%j is greeted %j', (name, greeting) => {
  expect(greetingOf(name)).toBe(greeting)
})

test.each([
  undefined,
  '',
  ' \u200b\u2028 ',
  'You won! Visit evil.example',
  'https://evil.example',
  'www evil',
  'call me: boss@evil.example',
  'evil。example',
  'x'.repeat(41),
  `a${'\u0301'.repeat(20)}`,
])('%j gets no name in the greeting', (name) => {
  expect(greetingOf(name)).toBe('Hello,')
})

test('a lone surrogate does not break the greeting', () => {
  expect(greetingOf('a\ud800b').isWellFormed()).toBe(true)
})
