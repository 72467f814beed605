import { randomUUID } from 'node:crypto'

/** `claims`: an account's first event to Uniq, as user-command sends it; `sign-ups`: what a visitor sends. */
export type LoadKind = 'claims' | 'sign-ups'

interface Kind {
  readonly kind: LoadKind
  readonly token: string
  readonly run: string
}

const time = new Date().toISOString()
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
const correlationid = randomUUID()
const passwordHash = `$argon2id$v=19$m=19456,t=2,p=1$${'c2FsdHNhbHRzYWx0'}$${'aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g'}`

/** Headers of every request of a load. */
export function headersOf({ kind, token }: Kind): Readonly<Record<string, string>> {
  const common = { 'Content-Type': 'application/json', Accept: 'application/json, application/problem+json' }
  if (kind === 'sign-ups') return common
  return {
    ...common,
    Authorization: `Bearer ${token}`,
    'X-Correlation-Id': correlationid,
    'X-Fingerprint': 'Qm9keSBvZiBhIHJlcXVlc3QsIGRpZ2VzdGVkIGFuZCBrZXllZA',
    traceparent,
  }
}

/** The body of one request, in ASCII; no two are alike. */
export function bodyOf({ kind, run }: Kind, n: number): string {
  const email = `visitor-${n}-${run}@example.org`
  if (kind === 'sign-ups')
    return JSON.stringify({ username: `Visitor ${n}`, email, password: 'correct horse battery' })
  // UUIDs in form, as every id of Millrace.
  const id = `${n.toString(16).padStart(8, '0')}-${run}`
  return JSON.stringify({
    specversion: '1.0',
    id: `${id}-8000-a000-000000000001`,
    type: 'AccountCreated',
    source: '/millrace/user-command',
    subject: `${id}-8000-a000-000000000002`,
    time,
    data: { username: `Visitor ${n}`, email, passwordHash },
    correlationid,
    traceparent,
    datacontenttype: 'application/json',
  })
}
