import { domainToASCII, domainToUnicode } from 'node:url'
import { normalisers, normaliserAt } from '@millrace/uniq'
import type { Seeded } from './seeded.ts'

/** The one form of an address in which it counts as the same. */
export const normalAddress = normaliserAt(normalisers, 'email', 1)

type Form = (local: string, host: string, random: Seeded) => string

const forms: readonly Form[] = [
  (local, host) => `${local.toUpperCase()}@${host}`,
  (local, host) => `${local}@${host.toUpperCase()}`,
  (local, host, random) => `${mixed(local, random)}@${mixed(host, random)}`,
  (local, host) => `${local}@${host}`.normalize('NFD'),
  (local, host) => `  ${local}@${host}\t`,
  (local, host) => `${local}@${domainToASCII(host)}`,
  (local, host) => `${local}@${domainToUnicode(host)}`,
  (local, host) => `${local.toUpperCase().normalize('NFD')}@${domainToASCII(host).toUpperCase()}`,
]

/** The same address, written as somebody else might: other letters, other Unicode, other form of the host. */
export function otherForm(email: string, random: Seeded): string {
  const at = email.lastIndexOf('@')
  const [local, host] = [email.slice(0, at), email.slice(at + 1)]
  const normal = normalAddress(email)
  // Some scripts have no upper case, and some letters lose something on the way there and back.
  const others = forms
    .map((form) => form(local, host, random))
    .filter((one) => one !== email && normalAddress(one) === normal)
  return others.length === 0 ? ` ${email}` : random.pick(others)
}

function mixed(text: string, random: Seeded): string {
  return Array.from(text, (char) => (random.chance(0.5) ? char.toUpperCase() : char)).join('')
}
