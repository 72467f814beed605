import { setTimeout as delay } from 'node:timers/promises'
import { between, type Random } from '../support/random.ts'

/** What the visitors of a run need. */
export interface VisitorsOptions {
  readonly gatewayUrl: string
  readonly signUps: number
  /** Whether more of them come when so many have signed up; up to four times as many. */
  readonly more: () => boolean
  readonly random: Random
  /** Who want something at the same time. */
  readonly concurrency: number
  /** Called after each sign-up that has its answer. */
  readonly onSettled: (settled: number) => void
}

/** Somebody who wants an account, and what he was told in the end. */
export interface Visitor {
  readonly n: number
  /** As typed; others may want the same one in other letters. */
  readonly email: string
  readonly key: string
  readonly password: string
  status: number
  id?: string
  token?: string
  position?: string
  attempts: number
  ms: number
}

/** What happened on the way to the answers. */
export interface Hardships {
  /** Connections that were refused, cut or too slow: nobody knows what became of the request. */
  unknowns: number
  /** Answers 503 and 504. */
  unavailable: number
  /** Repeats that were given what an earlier attempt had done, whose answer never came. */
  firstAnswers: number
  /** Reads of one's own account that had to be repeated. */
  readsAgain: number
  /** Answers that nothing explains. */
  readonly complaints: string[]
}

const timeoutMs = 12_000
const sharedOfHundred = 12
const readOneOf = 4
/** Ends a run that would never end; an honest client is patient. */
const mostAttempts = 400

/** Honest clients: each repeats with its Idempotency-Key until it has an answer. Some read their account at once. */
export class Visitors {
  readonly hardships: Hardships = {
    unknowns: 0,
    unavailable: 0,
    firstAnswers: 0,
    readsAgain: 0,
    complaints: [],
  }
  readonly #options: VisitorsOptions
  /** Who may come. */
  readonly #all: readonly Visitor[]
  #come = 0
  #left = false
  #inFlight = 0
  #settled = 0

  constructor(options: VisitorsOptions) {
    this.#options = options
    this.#all = visitorsOf(options)
  }

  /** Who has come. */
  get visitors(): readonly Visitor[] {
    return this.#all.slice(0, this.#come)
  }

  /** Everybody has an answer, and nobody comes any more. */
  get left(): boolean {
    return this.#left
  }

  /** Requests that have no answer yet. */
  get inFlight(): number {
    return this.#inFlight
  }

  get settled(): number {
    return this.#settled
  }

  /** Resolves when everybody has an answer. */
  async go(): Promise<void> {
    const reads: Visitor[] = []
    const signUp = async () => {
      for (let visitor = this.#next(); visitor; visitor = this.#next()) {
        await this.#signUp(visitor)
        if (visitor.status === 201 && visitor.n % readOneOf === 0) reads.push(visitor)
        this.#options.onSettled(++this.#settled)
      }
    }
    const read = async () => {
      for (;;) {
        const visitor = reads.shift()
        if (visitor) await this.readOwn(visitor)
        else if (this.#left) return
        else await delay(5)
      }
    }
    const readers = [read(), read(), read(), read()]
    try {
      await Promise.all(Array.from({ length: this.#options.concurrency }, signUp))
    } finally {
      this.#left = true
    }
    await Promise.all(readers)
  }

  #next(): Visitor | undefined {
    const { signUps, more } = this.#options
    return this.#come < signUps || more() ? this.#all[this.#come++] : undefined
  }

  /** Reads the account as of the visitor's own write, again until there is an answer; it must be what he wrote. */
  async readOwn(visitor: Visitor): Promise<void> {
    const { id, position, token, email } = visitor
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      const path = `/users/${id}?after=${encodeURIComponent(position ?? '')}`
      const answer = await this.#ask(path, { headers: { Authorization: `Bearer ${token}` } })
      if (answer && answer.status < 500) {
        if (answer.status !== 200 || answer.body['email'] !== email)
          this.hardships.complaints.push(`${email} reads ${answer.status} ${JSON.stringify(answer.body)}`)
        return
      }
      this.hardships.readsAgain += 1
      await delay(20 + attempt * 5)
    }
    this.hardships.complaints.push(`${email} never read his account`)
  }

  async #signUp(visitor: Visitor): Promise<void> {
    const from = performance.now()
    for (visitor.attempts = 1; visitor.attempts <= mostAttempts; visitor.attempts += 1) {
      const correlation = `${visitor.key}-${visitor.attempts}`
      const { email, password } = visitor
      const answer = await this.#ask('/users', {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'Idempotency-Key': visitor.key,
          'X-Correlation-Id': correlation,
        },
        body: JSON.stringify({ username: `Visitor ${visitor.n}`, email, password }),
      })
      if (answer && answer.status < 500) {
        visitor.ms = performance.now() - from
        this.#note(visitor, answer, correlation)
        return
      }
      await delay(10 + visitor.attempts * 5)
    }
    this.hardships.complaints.push(`${visitor.email} never got an answer`)
  }

  #note(visitor: Visitor, { status, body }: Answer, correlation: string): void {
    visitor.status = status
    if (status === 201) {
      visitor.id = String(body['id'])
      visitor.token = String(body['token'])
      visitor.position = String(body['position'])
      if (body['correlationId'] !== correlation) this.hardships.firstAnswers += 1
    } else if (status !== 409) {
      this.hardships.complaints.push(`${visitor.email} signs up: ${status} ${JSON.stringify(body)}`)
    }
  }

  async #ask(path: string, init: RequestInit): Promise<Answer | undefined> {
    this.#inFlight += 1
    try {
      const signal = AbortSignal.timeout(timeoutMs)
      const response = await fetch(this.#options.gatewayUrl + path, { ...init, signal })
      const body = (await response.json()) as Readonly<Record<string, unknown>>
      if (response.status === 503 || response.status === 504) this.hardships.unavailable += 1
      else if (response.status >= 500)
        this.hardships.complaints.push(`${path}: ${response.status} ${JSON.stringify(body)}`)
      return { status: response.status, body }
    } catch (error) {
      // Refused, cut, cut in the middle of the body, or too slow. Anything else is a mistake of ours.
      if (!(error instanceof TypeError || error instanceof DOMException || error instanceof SyntaxError))
        throw error
      this.hardships.unknowns += 1
      return undefined
    } finally {
      this.#inFlight -= 1
    }
  }
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

function visitorsOf({ signUps, random }: VisitorsOptions): readonly Visitor[] {
  const emails: string[] = []
  return Array.from({ length: 4 * signUps }, (_, n): Visitor => {
    const shared = emails.length > 0 && between(random, 1, 100) <= sharedOfHundred
    const one = shared ? emails[between(random, 0, emails.length - 1)]?.toUpperCase() : undefined
    const email = one ?? `visitor-${n}@example.org`
    if (one === undefined) emails.push(email)
    const key = `visitor-${n}-${between(random, 0, 1e9)}`
    return { n, email, key, password: `correct horse ${n}`, status: 0, attempts: 0, ms: 0 }
  })
}
