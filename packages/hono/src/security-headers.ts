import type { MiddlewareHandler } from 'hono'
import type { KitEnv } from './environment.ts'
import { type HeaderList, withDefaultHeaders } from './response-header.ts'

/** Options of {@link securityHeaders}. */
export interface SecurityHeadersOptions {
  /** `pages` allows styles, scripts, images and forms of its own origin; `api` allows nothing. Default `api`. */
  readonly content?: 'api' | 'pages'
  /** Set when the service is reached by https: browsers then keep to it for this long. Default: not sent. */
  readonly hstsSeconds?: number
}

/** Content-Security-Policy of answers that no browser shows. */
const apiPolicy = "default-src 'none'; frame-ancestors 'none'"

/** Content-Security-Policy of pages: everything from their own origin, nothing inline, no frames. */
export const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Sets the headers that keep browsers out of trouble, wherever the handler has not set them itself. */
export function securityHeaders(options: SecurityHeadersOptions = {}): MiddlewareHandler<KitEnv> {
  const headers = securityHeaderList(options)
  return (c, next) => withDefaultHeaders(c, headers, next)
}

/** The headers that {@link securityHeaders} sets. */
export function securityHeaderList(options: SecurityHeadersOptions = {}): HeaderList {
  return [
    ['Content-Security-Policy', options.content === 'pages' ? pagePolicy : apiPolicy],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cache-Control', 'no-store'],
    ...(options.hstsSeconds === undefined
      ? []
      : [['Strict-Transport-Security', `max-age=${options.hstsSeconds}`] as const]),
  ]
}
