import { describe, expect, it } from 'vitest'
import { normalAddress, otherForm } from './address-forms.ts'
import { Seeded } from './seeded.ts'
import { signUpCases } from './sign-up-cases.ts'

const { cases, passwordMark } = signUpCases('some seed', 3_000)
const emailIn = (body: string) => (JSON.parse(body) as { email: string }).email
const share = (count: number) => count / cases.length

describe('the requests of a run', () => {
  it('follow from the seed alone', () => {
    expect(signUpCases('some seed', 3_000).cases).toEqual(cases)
    const other = signUpCases('other seed', 3_000)
    const addresses = new Set(cases.map(({ address }) => address))
    expect(other.cases.some(({ address }) => address !== undefined && addresses.has(address))).toBe(false)
    expect(other.passwordMark).not.toBe(passwordMark)
  })

  it('are about a tenth people who come twice in other letters, and some mistakes', () => {
    const keys = cases.map(({ idempotencyKey }) => idempotencyKey)
    const repeated = keys.length - new Set(keys).size
    const good = cases.filter(({ address }) => address !== undefined)
    const twice = good.length - new Set(good.map(({ address }) => address)).size - repeated
    expect(share(twice)).toBeGreaterThan(0.08)
    expect(share(twice)).toBeLessThan(0.12)
    expect(share(repeated)).toBeGreaterThan(0.02)
    expect(share(cases.filter(({ bad }) => bad).length)).toBeGreaterThan(0.05)
    expect(new Set(cases.flatMap(({ bad }) => bad?.reason ?? [])).size).toBeGreaterThan(6)
  })

  it('tell an address from the body', () => {
    const good = cases.filter(({ address }) => address !== undefined)
    expect(good.map(({ body }) => normalAddress(emailIn(body)))).toEqual(good.map(({ address }) => address))
  })

  it('use scripts, hosts and forms of many kinds', () => {
    const emails = cases.flatMap(({ address, body }) => (address === undefined ? [] : [emailIn(body)]))
    for (const kind of [
      /\p{sc=Greek}/u,
      /\p{sc=Cyrillic}/u,
      /\p{sc=Han}/u,
      /\p{sc=Hangul}/u,
      /\p{sc=Devanagari}/u,
      /@xn--/i,
      /\p{M}/u,
      /^ /,
      /[A-Z]+@/,
    ])
      expect(emails.some((email) => kind.test(email))).toBe(true)
  })

  it('carry a password that can be looked for', () => {
    const without = cases.filter(({ bad, body }) => !bad && !body.includes(passwordMark))
    expect(without).toEqual([])
  })
})

it('another form of an address is another text for the same address', () => {
  const random = new Seeded('forms')
  for (const email of [
    'josé@bücher.example',
    'σωκράτης@example.org',
    '王小明@例え.example',
    "d'arcy@example.org",
    'a@xn--mnchen-3ya.example',
  ])
    for (let turn = 0; turn < 50; turn += 1) {
      const other = otherForm(email, random)
      expect(other).not.toBe(email)
      expect(normalAddress(other)).toBe(normalAddress(email))
    }
})
