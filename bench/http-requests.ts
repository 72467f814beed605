import { randomUUID } from 'node:crypto'

/** What a load sends. `claims`: an account's first event to Uniq, as user-command does; `sign-ups`: what a visitor does. */
export interface RequestKind {
  readonly kind: 'claims' | 'sign-ups'
  readonly port: number
  readonly token: string
  /** Four hexadecimal digits that make the requests of this run differ from those of others. */
  readonly run: string
}

/** Stands for eight hexadecimal digits that differ from request to request. */
export const numberMark = '@@@@@@@@'

const time = new Date().toISOString()
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
const correlationid = randomUUID()
const passwordHash = `$argon2id$v=19$m=19456,t=2,p=1$${'c2FsdHNhbHRzYWx0'}$${'aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g'}`

/** The text of a request, in ASCII, with {@link numberMark} where requests differ. */
export function requestText(request: RequestKind): string {
  const body = request.kind === 'claims' ? claimBody(request) : signUpBody(request)
  const path = request.kind === 'claims' ? '/events' : '/users'
  const headers = {
    Host: `127.0.0.1:${request.port}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, application/problem+json',
    ...(request.kind === 'claims'
      ? {
          Authorization: `Bearer ${request.token}`,
          'X-Correlation-Id': correlationid,
          'X-Fingerprint': 'Qm9keSBvZiBhIHJlcXVlc3QsIGRpZ2VzdGVkIGFuZCBrZXllZA',
          traceparent,
        }
      : {}),
    'Content-Length': body.length,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

function signUpBody({ run }: RequestKind): string {
  const email = `visitor-${numberMark}-${run}@example.org`
  return JSON.stringify({ username: `Visitor ${numberMark}`, email, password: 'correct horse battery' })
}

function claimBody({ run }: RequestKind): string {
  // UUIDs in form, as every id of Millrace.
  const id = `${numberMark}-${run}-8000-a000`
  return JSON.stringify({
    specversion: '1.0',
    id: `${id}-000000000001`,
    type: 'AccountCreated',
    source: '/millrace/user-command',
    subject: `${id}-000000000002`,
    time,
    data: {
      username: `Visitor ${numberMark}`,
      email: `visitor-${numberMark}-${run}@example.org`,
      passwordHash,
    },
    correlationid,
    traceparent,
    datacontenttype: 'application/json',
  })
}
