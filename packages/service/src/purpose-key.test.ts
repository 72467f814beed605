import { expect, test } from 'vitest'
import { purposeKey } from './purpose-key.ts'

const master = 'a master secret of some length'

test('each purpose has a key of its own, always the same one', () => {
  const keys = (['idempotency', 'session', 'link'] as const).map((purpose) => purposeKey(master, purpose))
  expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(3)
  expect(keys.every((key) => key.byteLength === 32)).toBe(true)
  expect(purposeKey(Buffer.from(master), 'session')).toEqual(keys[1])
  // Must never change: ids that derive from it are on the log.
  expect(Buffer.from(purposeKey(master, 'idempotency')).toString('hex')).toMatchInlineSnapshot(
    `"4c68a89674b4037a8af41d5de95ed1a1714076f7af48de624b5bb59c4d0a3c04"`,
  )
})

test('another master secret gives other keys, a short one none', () => {
  expect(purposeKey(`${master}!`, 'link')).not.toEqual(purposeKey(master, 'link'))
  expect(() => purposeKey('short', 'link')).toThrow(TypeError)
})
