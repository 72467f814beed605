import { expect, it } from 'vitest'
import { maskedAddress } from './masked-address.ts'

it('shows the first character and the host', () => {
  expect(maskedAddress('anna@example.org')).toBe('a…@example.org')
  expect(maskedAddress('a@b@example.org')).toBe('a…@example.org')
})

it('never cuts a character in two', () => {
  expect(maskedAddress('👩‍🚀x@example.org')).toBe('👩‍🚀…@example.org')
  expect(maskedAddress('e\u0301a@example.org')).toBe('e\u0301…@example.org')
})

it('shows nothing of what is no address', () => {
  expect(maskedAddress('anna')).toBe('…')
  expect(maskedAddress('@example.org')).toBe('…')
})
