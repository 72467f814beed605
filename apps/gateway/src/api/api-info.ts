import type { ApiInfo } from '@millrace/hono'

/** What the public HTTP interface says of itself. */
export const apiInfo = {
  title: 'Millrace accounts',
  version: '0.1.0',
  description:
    'Accounts with a unique address, on an event log. Errors are problem details (RFC 9457) with a stable `code`; ' +
    'every answer has an `X-Correlation-Id`. Repeat a write with the same `Idempotency-Key` when no answer came: ' +
    'nothing happens twice.',
} satisfies ApiInfo
