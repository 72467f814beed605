import { setTimeout as delay } from 'node:timers/promises'
import type { SignUpCase } from './sign-up-cases.ts'

/** What became of a request. */
export interface Outcome {
  readonly of: SignUpCase
  /** 0: there was never an answer that says yes or no. */
  readonly status: number
  readonly code?: string
  /** Fields that the answer complains of, sorted. */
  readonly fields: readonly string[]
  readonly id?: string
  readonly position?: string
  /** From the first try to the last byte. */
  readonly ms: number
  readonly tries: number
}

/** How the requests are sent. */
export interface SendOptions {
  readonly baseUrl: string
  /** Requests under way at once. */
  readonly concurrency: number
  /** Lets the run past the limits for single clients, if the system knows it. */
  readonly token: string | undefined
  readonly signal: AbortSignal
  readonly onOutcome: (done: number) => void
}

const mostTries = 10
const timeoutMs = 20_000

/** Sends all requests. A request without a clear answer is repeated with its idempotency key, as a client should. */
export async function sendSignUps(
  cases: readonly SignUpCase[],
  options: SendOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  const waiting = cases[Symbol.iterator]()
  const work = async (): Promise<void> => {
    for (const one of waiting) {
      if (options.signal.aborted) return
      outcomes.push(await settle(one, options))
      options.onOutcome(outcomes.length)
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, work))
  return outcomes
}

async function settle(one: SignUpCase, options: SendOptions): Promise<Outcome> {
  const from = performance.now()
  for (let tries = 1; ; tries += 1) {
    const answer = await tryOnce(one, options)
    const clear = answer !== undefined && !isTemporary(answer.status)
    if (clear || tries === mostTries || options.signal.aborted) {
      const ms = performance.now() - from
      return { of: one, status: 0, fields: [], ...(clear ? answer : {}), ms, tries }
    }
    await delay(answer?.waitMs ?? Math.min(2_000, 50 * 2 ** tries), undefined, {
      signal: options.signal,
    }).catch(() => undefined)
  }
}

type Answer = Omit<Outcome, 'of' | 'ms' | 'tries'> & { readonly waitMs?: number }

function isTemporary(status: number): boolean {
  return status === 429 || status >= 500
}

async function tryOnce(one: SignUpCase, options: SendOptions): Promise<Answer | undefined> {
  try {
    const response = await fetch(`${options.baseUrl}/users`, {
      method: 'POST',
      headers: {
        Accept: 'application/json',
        'Content-Type': one.contentType,
        'Idempotency-Key': one.idempotencyKey,
        'X-Correlation-Id': one.correlationId,
        ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
      },
      body: one.body,
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]),
    })
    return answerOf(response, await response.text())
  } catch (error) {
    // Cut off, refused or too slow: unknown, as the loop above knows. Anything else is a mistake of ours.
    if (error instanceof TypeError || error instanceof DOMException) return undefined
    throw error
  }
}

function answerOf(response: Response, text: string): Answer {
  const body = bodyOf(text)
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN)
  const errors = Array.isArray(body['errors']) ? (body['errors'] as readonly { field?: unknown }[]) : []
  const [code, id, position, field] = [body['code'], body['id'], body['position'], body['field']]
  const fields = [...errors.map((error) => error.field), field].filter((name) => typeof name === 'string')
  return {
    status: response.status,
    fields: [...new Set(fields)].toSorted(),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof id === 'string' ? { id } : {}),
    ...(typeof position === 'string' ? { position } : {}),
    ...(Number.isFinite(wait) ? { waitMs: Math.min(wait, 5) * 1_000 } : {}),
  }
}

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}
