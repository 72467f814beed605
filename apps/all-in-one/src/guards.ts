import { readFileSync } from 'node:fs'
import { accountConstraints, accounts } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import { type Constraints, createUniq, readConstraints, readKeyring, type Uniq } from '@millrace/uniq'
import type { ServiceContext } from './service-factory.ts'

/** The guard of the accounts topic, by the settings' constraints and keyring. */
export async function accountsGuard(context: ServiceContext): Promise<Uniq> {
  const log = await context.kit.log()
  return createUniq({
    log,
    topic: accounts,
    constraints: constraintsOf(context.settings.UNIQ_CONSTRAINTS),
    keyring: readKeyring(context.secrets.UNIQ_KEYRING),
  })
}

/** The constraints from a file, else those that come with accounts. */
export function constraintsOf(file: string | undefined): Constraints {
  if (file === undefined) return accountConstraints()
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new MillraceError('settings.invalid', `UNIQ_CONSTRAINTS: ${file} cannot be read as JSON`, { cause })
  }
  return readConstraints(json, accounts)
}

/** Whether two accounts may share a username, as the constraints say. */
export function usernamesOf(constraints: Constraints): 'shared' | 'unique' {
  return constraints.constraints.some(({ create }) => create['AccountCreated']?.includes('username'))
    ? 'unique'
    : 'shared'
}
