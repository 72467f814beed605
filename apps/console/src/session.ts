import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@millrace/event'

/** What somebody may do: look, or repair. */
export type Role = 'viewer' | 'operator'

/** How long a session lasts, in ms. */
export const sessionMs = 12 * 60 * 60 * 1_000

/** The tokens of each role. */
export type Tokens = Readonly<Record<Role, readonly string[]>>

const roles = ['operator', 'viewer'] as const

/**
 * Sessions without a memory: `<role>.<end>.<signature>`, signed with the token of the role. They outlive a restart,
 * and end when the token is changed.
 */
export class Sessions {
  readonly #tokens: Tokens
  readonly #clock: Clock

  constructor(tokens: Tokens, clock: Clock) {
    this.#tokens = tokens
    this.#clock = clock
  }

  /** The role that a token stands for. */
  roleOf(token: string): Role | undefined {
    const digest = digestOf(token)
    let found: Role | undefined
    // All are compared, so that the time tells nothing.
    for (const role of roles)
      for (const known of this.#tokens[role])
        if (known !== '' && timingSafeEqual(digestOf(known), digest)) found ??= role
    return found
  }

  /** The value of a cookie for a session of that role. */
  begin(role: Role): string {
    const endMs = this.#clock.now() + sessionMs
    const [token = ''] = this.#tokens[role]
    return `${role}.${endMs}.${signature(token, role, endMs)}`
  }

  /** The role of a session; undefined when it is none of ours, or over. */
  read(cookie: string | undefined): Role | undefined {
    const [, word, end = '', given = ''] =
      /^(viewer|operator)\.(\d{1,16})\.([\w-]{43})$/.exec(cookie ?? '') ?? []
    const role = roles.find((one) => one === word)
    if (role === undefined || Number(end) <= this.#clock.now()) return undefined
    const valid = this.#tokens[role].some(
      (token) =>
        token !== '' && timingSafeEqual(Buffer.from(signature(token, role, Number(end))), Buffer.from(given)),
    )
    return valid ? role : undefined
  }
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}

function signature(token: string, role: Role, endMs: number): string {
  return createHmac('sha256', token).update(`millrace console ${role} ${endMs}`).digest('base64url')
}
