import { describe, expect, it } from 'vitest'
import { badInputs } from './bad-input.ts'
import { judge } from './judge.ts'
import type { Outcome } from './send-sign-ups.ts'
import type { SignUpCase } from './sign-up-cases.ts'

let n = 0
function request(some: Partial<SignUpCase>): SignUpCase {
  n += 1
  return {
    n,
    body: 'body',
    contentType: 'application/json',
    idempotencyKey: `key-${n}`,
    correlationId: `c-${n}`,
    ...some,
  }
}

function outcome(of: SignUpCase, some: Partial<Outcome>): Outcome {
  return { of, status: 0, fields: [], ms: 1, tries: 1, ...some }
}

const first = request({ address: 'a@example.org' })
const won = outcome(first, { status: 201, id: 'id-1', position: 'p-1' })
const taken = { status: 409, code: 'append.claimed', fields: ['email'] }
const [bad] = badInputs

describe('answers that are right', () => {
  it('are one account an address, whoever of several got it', () => {
    const outcomes = [
      outcome(request({ address: 'a@example.org' }), taken),
      won,
      outcome({ ...first, n: 90 }, { status: 201, id: 'id-1', position: 'p-1' }),
      outcome({ ...first, body: 'other' }, { status: 422 }),
    ]
    for (const some of [outcomes, outcomes.toReversed()]) {
      const { differences, rows, created } = judge(some)
      expect(differences).toEqual([])
      expect(rows.map(({ name, found }) => `${name}: ${found}`)).toEqual([
        'created: 1',
        'same request, same answer: 1',
        'refused: address taken: 1',
        'refused: idempotency key used with another body: 1',
      ])
      expect([...created]).toEqual([['a@example.org', { id: 'id-1', position: 'p-1' }]])
    }
  })

  it('name the fields that are wrong', () => {
    const right = outcome(request(bad ? { bad } : {}), { status: 400, fields: ['username'] })
    expect(judge([right])).toMatchObject({
      differences: [],
      rows: [{ name: 'refused: username', expected: 1, found: 1 }],
    })
  })
})

describe('planted', () => {
  const differencesOf = (...outcomes: Outcome[]) => judge(outcomes).differences.join('; ')

  it('two accounts for one address are found', () => {
    const second = outcome(request({ address: 'a@example.org' }), {
      status: 201,
      id: 'id-2',
      position: 'p-2',
    })
    expect(differencesOf(won, second)).toContain('a@example.org got several accounts')
  })

  it('no account at all is found', () => {
    expect(differencesOf(outcome(first, taken))).toContain('a@example.org got no account')
  })

  it('a repeat with another answer is found', () => {
    const moved = outcome({ ...first, n: 91 }, { status: 201, id: 'id-1', position: 'p-9' })
    expect(differencesOf(won, moved)).toContain('Request 91')
    expect(differencesOf(won, outcome({ ...first, n: 92 }, taken))).toContain('Request 92')
  })

  it('a key that was taken twice is found', () => {
    const both = outcome({ ...first, body: 'other' }, { status: 201, id: 'id-1', position: 'p-1' })
    expect(differencesOf(won, both)).toContain('wanted 422')
  })

  it('a mistake that was let through, or blamed on another field, is found', () => {
    const wrong = request(bad ? { bad } : {})
    expect(differencesOf(outcome(wrong, { status: 201, id: 'x' }))).toContain(
      'wanted 400 for username, got 201',
    )
    expect(differencesOf(outcome(wrong, { status: 400, fields: ['email'] }))).toContain('got 400')
  })

  it('a request that was never answered is found', () => {
    expect(differencesOf(won, outcome(request({ address: 'a@example.org' }), { tries: 10 }))).toContain(
      'no answer in 10 tries',
    )
  })
})
