import { describe, expect, test } from 'vitest'
import { createKeyring, readKeyring } from './keyring.ts'

const secret = Buffer.from('0123456789abcdef')

describe('a keyring', () => {
  test('digests a value under each of its keys, and never the same way for two constraints', () => {
    const keyring = createKeyring([
      { version: '1', secret, normaliser: 1 },
      { version: '2', secret: Buffer.from('fedcba9876543210'), normaliser: 1 },
    ])
    const digests = keyring.digests('email', ['email'], ['Anna@Example.org'])
    expect(Object.keys(digests)).toEqual(['1', '2'])
    expect(digests['1']).not.toBe(digests['2'])
    expect(digests).toEqual(keyring.digests('email', ['email'], ['anna@example.ORG']))
    expect(digests).not.toEqual(keyring.digests('other', ['email'], ['anna@example.org']))
  })

  test('keeps the fields of a composite value apart', () => {
    const keyring = createKeyring([{ version: '1', secret, normaliser: 1 }])
    expect(keyring.digests('c', ['exact', 'exact'], ['ab', 'c'])).not.toEqual(
      keyring.digests('c', ['exact', 'exact'], ['a', 'bc']),
    )
  })

  test('a newer normaliser comes in with its own key', () => {
    const withoutDots = (value: string) => value.replaceAll('.', '')
    const keyring = createKeyring(
      [
        { version: 'old', secret, normaliser: 1 },
        { version: 'new', secret, normaliser: 2 },
      ],
      { name: [(value) => value, withoutDots] },
    )
    const [dotted, plain] = [keyring.digests('n', ['name'], ['a.b']), keyring.digests('n', ['name'], ['ab'])]
    expect(dotted['old']).not.toBe(plain['old'])
    expect(dotted['new']).toBe(plain['new'])
  })

  test('is read from text, and a wrong one is refused without showing it', () => {
    expect(readKeyring(`1:${secret.toString('base64')},2:${secret.toString('base64')}:2`).versions).toEqual([
      '1',
      '2',
    ])
    for (const text of [
      '',
      '1',
      '1:short',
      `1:${secret.toString('base64')},1:${secret.toString('base64')}`,
    ]) {
      expect(() => readKeyring(text)).toThrow(expect.objectContaining({ code: 'settings.invalid' }))
    }
    expect(() => readKeyring('x:hunter2hunter2hunter2!')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    )
  })
})
