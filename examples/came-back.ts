// #region came-back
// How many people created an account, deleted it and came back? A person is an address here.
import type { AccountEvent } from '@millrace/accounts'
import { normaliserAt, normalisers } from '@millrace/uniq'

const person = normaliserAt(normalisers, 'email', 1)

export const initial = () => ({
  addresses: new Map<string, string>(), // of each account
  left: new Set<string>(),
  back: new Set<string>(),
})

export function fold(state: ReturnType<typeof initial>, event: AccountEvent) {
  const { addresses, left, back } = state
  if (event.type === 'AccountCreated' || event.type === 'EmailChanged') {
    const who = person(event.data.email)
    if (event.type === 'AccountCreated' && left.has(who)) back.add(who)
    addresses.set(event.subject, who)
  } else if (event.type === 'AccountClosed') {
    left.add(addresses.get(event.subject) ?? '')
    addresses.delete(event.subject)
  }
  return state
}

export const result = ({ left, back }: ReturnType<typeof initial>) => ({
  peopleWhoLeft: left.size,
  peopleWhoCameBack: back.size,
})
// #endregion
