import type { ContextStore, IntakeOptions, KitLogger, RequestMeter, ServiceClient } from '@millrace/hono'
import type { ClientRates } from './client-limits.ts'

/** What the gateway is made of. */
export interface GatewayOptions {
  /**
   * Who carries out writes about accounts, and who knows them. Clients without a token of their own: what
   * reaches these services is the visitor's token or none.
   */
  readonly userCommand: ServiceClient
  readonly userQuery: ServiceClient
  /** `/topics/…` for producers and consumers. Whoever shows one of its tokens is not limited by client. */
  readonly intake?: Omit<IntakeOptions, 'logger'>
  /** Where the public reaches the gateway, such as `https://accounts.example.org`; no slash at its end. */
  readonly publicUrl: string
  /** Origins of other sites whose pages may call. Default: none. */
  readonly cors?: readonly string[]
  /** Sign-up never tells whether an address has an account: changes what the pages say. Default false. */
  readonly privateSignUp?: boolean
  readonly logger: KitLogger
  readonly context: ContextStore
  readonly metrics?: RequestMeter
  readonly limits?: GatewayLimits
}

/** Bounds of the gateway. */
export interface GatewayLimits {
  /** How often one client may do something; `false` switches all off, for demos and load tests. */
  readonly clients?: ClientRates | false
  /**
   * How many proxies of one's own stand before the gateway: so many entries at the end of `X-Forwarded-For` are
   * true, and the first of them is the client. Default 0: the header is anybody's word, and not looked at.
   */
  readonly proxies?: number
  /** Largest body, in bytes. Default 65,536; the intake has limits of its own. */
  readonly bodyBytes?: number
  /** For a body to arrive, in ms. Default 10,000. */
  readonly bodyTimeoutMs?: number
  /** For an answer of user-command, in ms. Default 5,000. */
  readonly commandTimeoutMs?: number
  /** For an answer of user-query, in ms. Default 7,000: it waits up to 5 s for its view. */
  readonly queryTimeoutMs?: number
}

/** The limits where none are stated. */
export const defaultGatewayLimits = {
  clients: {},
  proxies: 0,
  bodyBytes: 64 * 1024,
  bodyTimeoutMs: 10_000,
  commandTimeoutMs: 5_000,
  queryTimeoutMs: 7_000,
} satisfies Required<GatewayLimits>
