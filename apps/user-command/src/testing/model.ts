/** An account as the model of the property test has it: no log, no claims, no tokens, just what should hold. */
export interface ModelAccount {
  id: string
  email: string
  password: string
  passwordVersion: number
  state: 'pending' | 'active' | 'closed'
  version: number
  linksAtMs: number[]
  /** Addresses that links were mailed to, by the id of their event. */
  readonly links: Map<string, string>
  /** Sessions that were opened, in order. */
  readonly sessions: ModelSession[]
  /** Successful requests with an Idempotency-Key: `route key` → body. */
  readonly taken: Map<string, string>
}

/** A session, with the version of the password that it is of. */
export interface ModelSession {
  readonly token: string
  readonly passwordVersion: number
  readonly atMs: number
}

/** All accounts of the model. */
export class Model {
  readonly accounts: ModelAccount[] = []
  /** Successful sign-ups with an Idempotency-Key: key → body and account. */
  readonly signUps = new Map<string, { readonly body: string; readonly id: string }>()

  /** The live account that holds an address, in whatever letters. */
  holderOf(email: string): ModelAccount | undefined {
    return this.accounts.find((one) => one.state !== 'closed' && normal(one.email) === normal(email))
  }
}

/** The form in which the model compares addresses. */
export function normal(email: string): string {
  return email.trim().toLowerCase()
}
