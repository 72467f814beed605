import { createHash } from 'node:crypto'
import { derivedId } from '@millrace/event'
import { normalAddress, otherForm } from './address-forms.ts'
import { type BadInput, badInputs } from './bad-input.ts'
import { person } from './people.ts'
import { Seeded } from './seeded.ts'

/** One request of the demo. Everything in it follows from the seed. */
export interface SignUpCase {
  readonly n: number
  readonly body: string
  readonly contentType: string
  readonly idempotencyKey: string
  readonly correlationId: string
  /** What makes it a request for an account: its address in normal form. */
  readonly address?: string
  /** What makes it none. */
  readonly bad?: BadInput
}

/** All requests of a run, in the order in which they are sent. */
export interface SignUpCases {
  readonly cases: readonly SignUpCase[]
  /** Stands in every password of the run and nowhere else: it must not be found on the log. */
  readonly passwordMark: string
}

/** How often something else than a new person comes, each from 0 to 1. */
const shares = { otherForm: 0.1, sameAgain: 0.02, otherBody: 0.01, bad: 0.07 } as const

/** Makes the requests of a run: new people, people who come twice in other letters, repeats, and mistakes. */
export function signUpCases(seed: string, count: number): SignUpCases {
  const random = new Seeded(seed)
  const tag = createHash('sha256').update(seed).digest('hex').slice(0, 7)
  const passwordMark = `pass-${tag}`
  const cases: SignUpCase[] = []
  const made: Made[] = []
  for (let n = 0; n < count; n += 1) {
    const good = {
      ...person(random, tag, n),
      password: `${passwordMark} ${random.below(1e9).toString(36)} horse`,
    }
    const fresh = {
      n,
      contentType: 'application/json',
      idempotencyKey: derivedId('demo', seed, String(n)),
      correlationId: `demo-${tag}-${n}`,
    }
    const dice = random.next()
    const earlier = made.length === 0 ? undefined : random.pick(made)
    if (dice < shares.bad) {
      const bad = random.pick(badInputs)
      cases.push({ ...fresh, body: bad.body(good), contentType: bad.contentType ?? fresh.contentType, bad })
    } else if (earlier && dice < shares.bad + shares.otherForm + shares.sameAgain + shares.otherBody) {
      cases.push({ ...fresh, ...again(earlier, good, dice - shares.bad, random) })
    } else {
      const one = { ...fresh, body: JSON.stringify(good), address: normalAddress(good.email) }
      cases.push(one)
      made.push({ ...one, email: good.email })
    }
  }
  return { cases, passwordMark }
}

type Made = SignUpCase & { readonly address: string; readonly email: string }

/** A further request for the address of an earlier one. */
function again(
  earlier: Made,
  good: { readonly username: string; readonly password: string },
  dice: number,
  random: Seeded,
): Pick<SignUpCase, 'body' | 'address'> & { readonly idempotencyKey?: string } {
  const { address, idempotencyKey } = earlier
  if (dice < shares.otherForm)
    return { address, body: JSON.stringify({ ...good, email: otherForm(earlier.email, random) }) }
  if (dice < shares.otherForm + shares.sameAgain) return { address, idempotencyKey, body: earlier.body }
  return { address, idempotencyKey, body: JSON.stringify({ ...good, email: earlier.email }) }
}
