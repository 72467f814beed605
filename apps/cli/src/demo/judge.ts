import type { Outcome } from './send-sign-ups.ts'

/** What the answers say, by what they had to say. */
export interface Judgement {
  /** How many of each kind had to come, and did. */
  readonly rows: readonly Row[]
  /** What is not as it has to be, a sentence each. */
  readonly differences: readonly string[]
  /** Accounts that the answers tell of, by address in normal form. Empty with private sign-up. */
  readonly created: ReadonlyMap<string, { readonly id: string; readonly position: string | undefined }>
  /** Addresses that must have an account now. */
  readonly addresses: ReadonlySet<string>
  /** Sign-up answers everybody alike. */
  readonly privateSignUp: boolean
}

/** A line of the table. */
export interface Row {
  readonly name: string
  readonly expected: number
  readonly found: number
}

const kinds = {
  created: 'created',
  again: 'same request, same answer',
  accepted: 'accepted (private sign-up)',
  taken: 'refused: address taken',
  otherBody: 'refused: idempotency key used with another body',
} as const

/**
 * Compares answers with what had to be answered. Requests run side by side, so who of several gets an address is
 * open: but exactly one must, and what the others get follows from that.
 */
export function judge(outcomes: readonly Outcome[]): Judgement {
  const tally = new Tally()
  const created = new Map<string, { readonly id: string; readonly position: string | undefined }>()
  const privateSignUp = outcomes.some(({ status }) => status === 202)
  const groups = Map.groupBy(outcomes, ({ of }) => of.address)
  for (const [address, group] of groups)
    if (address === undefined) for (const one of group) judgeBad(one, tally)
    else if (privateSignUp) for (const one of group) tally.add(kinds.accepted, one, one.status === 202)
    else {
      const winner = judgeGroup(address, group, tally)
      if (winner?.id !== undefined) created.set(address, { id: winner.id, position: winner.position })
    }
  const addresses = new Set([...groups.keys()].filter((address) => address !== undefined))
  return { rows: tally.rows(), differences: tally.differences, created, addresses, privateSignUp }
}

function judgeBad(one: Outcome, tally: Tally): void {
  const { bad } = one.of
  if (!bad) throw new TypeError(`Request ${one.of.n} is neither good nor bad`)
  const right = one.status === bad.status && String(one.fields) === String(bad.fields)
  tally.add(`refused: ${bad.reason}`, one, right, `${bad.status} for ${bad.fields.join(', ') || 'the body'}`)
}

/** Exactly one request of the group makes the account. */
function judgeGroup(address: string, group: readonly Outcome[], tally: Tally): Outcome | undefined {
  const winners = group.filter(({ status }) => status === 201)
  const [winner] = winners
  if (!winner || new Set(winners.map(({ id }) => id)).size !== 1)
    tally.differences.push(`${address} got ${winner ? 'several accounts' : 'no account'}`)
  for (const one of group) {
    if (one === winner) tally.add(kinds.created, one, one.id !== undefined)
    else if (one.of.idempotencyKey !== winner?.of.idempotencyKey)
      tally.add(kinds.taken, one, one.status === 409 && one.fields.includes('email'), '409 for email')
    else if (one.of.body === winner.of.body)
      tally.add(
        kinds.again,
        one,
        one.status === 201 && one.id === winner.id && one.position === winner.position,
      )
    else tally.add(kinds.otherBody, one, one.status === 422, '422')
  }
  return winner
}

/** Counts what had to come and what came. */
class Tally {
  readonly differences: string[] = []
  readonly #counts = new Map<string, { expected: number; found: number }>()

  add(kind: string, one: Outcome, right: boolean, wanted = 'success'): void {
    const count = this.#counts.get(kind) ?? { expected: 0, found: 0 }
    this.#counts.set(kind, count)
    count.expected += 1
    if (right) count.found += 1
    else {
      const got =
        one.status === 0
          ? `no answer in ${one.tries} tries`
          : `${one.status} ${one.code ?? ''} ${one.fields.join(', ')}`
      this.differences.push(
        `Request ${one.of.n} (${one.of.correlationId}) wanted ${wanted}, got ${got.trimEnd()}`,
      )
    }
  }

  rows(): Row[] {
    const order = (name: string) => (Object.values(kinds) as string[]).indexOf(name) >>> 0
    return [...this.#counts]
      .map(([name, count]) => ({ name, ...count }))
      .toSorted((a, b) => order(a.name) - order(b.name) || a.name.localeCompare(b.name))
  }
}
