// Generated from /openapi.json by generate.ts beside it. Change the gateway, then run:
// node apps/all-in-one/bootstrap.mjs run node apps/gateway/client/generate.ts

/** Problem details (RFC 9457). `code` is stable; some codes add members of their own. */
export interface Problem {
  /** `urn:millrace:error:` and the code */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** Path of the request */
  readonly instance: string
  readonly code: string
  /** The same as in the header X-Correlation-Id */
  readonly correlationId?: string
  /** One entry a field */
  readonly errors?: readonly { readonly field: string; readonly message: string }[]
}

/** What each operation takes and answers. */
export interface Operations {
  /** Creates an account. The answer comes when the event is on the log. With private sign-up it is always 202, whether or not the address has an account. */
  readonly signUp: {
    readonly input: {
      readonly body: {
        readonly username: string
        readonly email: string
        /** At most 1024 bytes of UTF-8 */
        readonly password: string
      }
    }
    readonly answers: {
      /** Created; `Location` has its address */
      readonly 201: {
        /** Of the account */
        readonly id: string
        /** Place of the event on the log; a read with `after` waits for it */
        readonly position: string
        /** Of the request that had the effect */
        readonly correlationId: string
        /** Bearer token of the session */
        readonly token: string
        /** When the token ends (ISO 8601) */
        readonly expiresAt: string
      }
      /** Private sign-up: a mail is on its way */
      readonly 202: { readonly message: string }
    }
  }

  /** Reads an account of one’s own. */
  readonly readAccount: {
    readonly input: {
      /** Wait until this position is part of the answer. */
      readonly after?: string
      readonly id: string
    }
    readonly answers: {
      /** The account; `ETag` has its version */
      readonly 200: {
        /** Of the account */
        readonly id: string
        readonly username: string
        readonly email: string
        /** Whether the address is confirmed */
        readonly activated: boolean
        /** ISO 8601 */
        readonly createdAt: string
        /** Events of the account so far; also the ETag */
        readonly version: number
      }
    }
  }

  /** Changes the address. Claims the new address and frees the old one in one step. `If-Match` is honoured, the answer has the new `ETag`. */
  readonly changeAddress: {
    readonly input: { readonly id: string; readonly body: { readonly email: string } }
    readonly answers: {
      /** Changed, or it was the same */
      readonly 200: {
        /** Of the account */
        readonly id: string
        /** Place of the event on the log; a read with `after` waits for it */
        readonly position: string
        /** Of the request that had the effect */
        readonly correlationId: string
      }
    }
  }

  /** Closes an account and frees its address. */
  readonly closeAccount: {
    readonly input: { readonly id: string }
    readonly answers: {
      /** Closed */
      readonly 200: {
        /** Of the account */
        readonly id: string
        /** Place of the event on the log; a read with `after` waits for it */
        readonly position: string
        /** Of the request that had the effect */
        readonly correlationId: string
      }
    }
  }

  /** Changes the password. Ends all sessions of the account; the answer begins a new one. */
  readonly changePassword: {
    readonly input: {
      readonly id: string
      readonly body: {
        readonly current: string
        /** At most 1024 bytes of UTF-8 */
        readonly next: string
      }
    }
    readonly answers: {
      /** Changed */
      readonly 200: {
        /** Of the account */
        readonly id: string
        /** Place of the event on the log; a read with `after` waits for it */
        readonly position: string
        /** Of the request that had the effect */
        readonly correlationId: string
        /** Bearer token of the session */
        readonly token: string
        /** When the token ends (ISO 8601) */
        readonly expiresAt: string
      }
    }
  }

  /** Sends the link to confirm the address once more. */
  readonly resendLink: {
    readonly input: { readonly id: string }
    readonly answers: {
      /** A mail is on its way, or the address is confirmed */
      readonly 202: { readonly message: string }
    }
  }

  /** Begins a session. Takes equal time whether the address is unknown or the password wrong. */
  readonly signIn: {
    readonly input: { readonly body: { readonly email: string; readonly password: string } }
    readonly answers: {
      /** Begun */
      readonly 200: {
        /** Bearer token of the session */
        readonly token: string
        /** When the token ends (ISO 8601) */
        readonly expiresAt: string
        readonly account: {
          /** Of the account */
          readonly id: string
          readonly activated: boolean
        }
      }
    }
  }

  /** Confirms an address by the token of its mail. */
  readonly activate: {
    readonly input: { readonly body: { readonly token: string } }
    readonly answers: {
      /** Confirmed, now or before */
      readonly 200: {
        /** Of the account */
        readonly id: string
        /** Place of the event on the log; a read with `after` waits for it */
        readonly position: string
        /** The address was confirmed before */
        readonly already?: true
      }
    }
  }

  /** Sends the link to an address once more. Always 202, so that nobody learns who has an account. */
  readonly resendLinkTo: {
    readonly input: { readonly body: { readonly email: string } }
    readonly answers: {
      /** If the address waits to be confirmed, a mail is on its way */
      readonly 202: { readonly message: string }
    }
  }
}

/** Where each operation is. */
export const operations = {
  signUp: { method: 'POST', path: '/users', query: [], body: true, secured: false },
  readAccount: { method: 'GET', path: '/users/{id}', query: ['after'], body: false, secured: true },
  changeAddress: { method: 'PATCH', path: '/users/{id}', query: [], body: true, secured: true },
  closeAccount: { method: 'DELETE', path: '/users/{id}', query: [], body: false, secured: true },
  changePassword: { method: 'POST', path: '/users/{id}/password', query: [], body: true, secured: true },
  resendLink: { method: 'POST', path: '/users/{id}/activation', query: [], body: false, secured: true },
  signIn: { method: 'POST', path: '/sessions', query: [], body: true, secured: false },
  activate: { method: 'POST', path: '/activations', query: [], body: true, secured: false },
  resendLinkTo: { method: 'POST', path: '/activations/resend', query: [], body: true, secured: false },
} as const
