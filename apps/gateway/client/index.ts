import { operations, type Operations, type Problem } from './operations.ts'

export type { Operations, Problem } from './operations.ts'

/** An operation of the accounts interface. */
export type OperationName = keyof Operations

/** Where the interface is and how it is called. */
export interface AccountsClientOptions {
  /** Such as `https://accounts.example.org`. */
  readonly baseUrl: string
  /** Default: the global one. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/** What goes along with a call beside its input. */
export interface CallOptions {
  /** Bearer token of the session, for operations on an account. */
  readonly token?: string
  /** Makes a write repeatable: the same key and input get the same success. */
  readonly idempotencyKey?: string
  /** `ETag` that the account must still have. */
  readonly ifMatch?: string
  /** Joins the call to others under one id. */
  readonly correlationId?: string
  readonly signal?: AbortSignal
}

/** A good answer: `status` tells which `body` it is. */
export type Answer<N extends OperationName> = {
  [S in keyof Operations[N]['answers']]: {
    readonly status: S
    readonly body: Operations[N]['answers'][S]
    readonly headers: Headers
  }
}[keyof Operations[N]['answers']]

/** One function an operation. Each rejects with {@link ProblemError}, or with what `fetch` rejects with. */
export type AccountsClient = {
  readonly [N in OperationName]: (input: Operations[N]['input'], call?: CallOptions) => Promise<Answer<N>>
}

/** An answer that says no. */
export class ProblemError extends Error {
  readonly problem: Problem
  /** Seconds after which a repeat makes sense, if the answer says so. */
  readonly retryAfterSeconds: number | undefined

  constructor(problem: Problem, retryAfterSeconds?: number) {
    super(problem.detail)
    this.name = 'ProblemError'
    this.problem = problem
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Makes a client. It needs nothing but `fetch`, and keeps nothing. */
export function createAccountsClient(options: AccountsClientOptions): AccountsClient {
  const names = Object.keys(operations) as OperationName[]
  const calls = names.map((name) => [
    name,
    (input: Input, call?: CallOptions) => send(options, name, input, call),
  ])
  return Object.fromEntries(calls) as AccountsClient
}

/** Parameters are texts; only the body is more. */
type Input = Readonly<Record<string, unknown>>

async function send(
  options: AccountsClientOptions,
  name: OperationName,
  input: Input,
  call: CallOptions = {},
): Promise<{ readonly status: number; readonly body: unknown; readonly headers: Headers }> {
  const { method, body } = operations[name]
  const doFetch = options.fetch ?? fetch
  const answer = await doFetch(urlOf(options.baseUrl, name, input), {
    method,
    headers: headersOf(name, call),
    ...(body ? { body: JSON.stringify(input['body']) } : {}),
    ...(call.signal ? { signal: call.signal } : {}),
  })
  const text = await answer.text()
  if (!answer.ok) throw problemError(answer, text)
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers }
}

function urlOf(baseUrl: string, name: OperationName, input: Input): string {
  const { path, query } = operations[name]
  const filled = path.replace(/\{(\w+)\}/g, (_, part: string) => encodeURIComponent(String(input[part])))
  const asked = new URLSearchParams()
  for (const part of query as readonly string[]) {
    const value = input[part]
    if (typeof value === 'string') asked.set(part, value)
  }
  const tail = asked.size === 0 ? '' : `?${asked.toString()}`
  return `${baseUrl.replace(/\/+$/, '')}${filled}${tail}`
}

function headersOf(name: OperationName, call: CallOptions): Record<string, string> {
  const { body, secured } = operations[name]
  return {
    Accept: 'application/json, application/problem+json',
    ...(body ? { 'Content-Type': 'application/json' } : {}),
    ...(secured && call.token !== undefined ? { Authorization: `Bearer ${call.token}` } : {}),
    ...(call.idempotencyKey === undefined ? {} : { 'Idempotency-Key': call.idempotencyKey }),
    ...(call.ifMatch === undefined ? {} : { 'If-Match': call.ifMatch }),
    ...(call.correlationId === undefined ? {} : { 'X-Correlation-Id': call.correlationId }),
  }
}

function problemError(answer: Response, text: string): ProblemError {
  const wait = Number(answer.headers.get('retry-after') ?? Number.NaN)
  return new ProblemError(problemIn(answer, text), Number.isFinite(wait) ? wait : undefined)
}

function problemIn(answer: Response, text: string): Problem {
  if ((answer.headers.get('content-type') ?? '').startsWith('application/problem+json'))
    return JSON.parse(text) as Problem
  // Something between has answered: a proxy, or another server altogether.
  const title = `The answer was ${answer.status}`
  return { type: 'about:blank', title, status: answer.status, detail: title, instance: '', code: 'unknown' }
}
