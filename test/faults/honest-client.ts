import { setTimeout } from 'node:timers/promises'
import { type Event, MillraceError } from '@millrace/event'
import { cloudEventOf, type ServiceClient, serviceClient } from '@millrace/hono'
import { z } from 'zod'
import { between, oneOf, type Random } from '../support/random.ts'
import type { Operation } from '../uniq/history.ts'
import { eventOf, hotValue, respelled, serviceToken } from './contested-accounts.ts'

/** What a client needs. Times in milliseconds. */
export interface HonestClientOptions {
  readonly name: string
  /** Instances of Uniq; each attempt goes to any of them. */
  readonly urls: readonly string[]
  readonly random: Random
  /** Values that all clients want. */
  readonly values: number
  /** How long the first attempt at something may take; each further one twice as long, up to eight times. */
  readonly attemptMs: number
  /** How long an operation is repeated before its result stays unknown. */
  readonly patienceMs: number
  /** Ends it, whatever it is doing. */
  readonly signal: AbortSignal
}

/** What a client saw. */
export interface Sightings {
  readonly history: Operation[]
  attempts: number
  /** Attempts whose result nobody knows. */
  unknowns: number
  /** Repeats that got the first answer. */
  duplicates: number
  /** Operations that had to be settled, because an attempt of theirs could still be under way. */
  settled: number
  /** Answers that no fault explains. */
  readonly contradictions: string[]
}

/** An account as its only user knows it. */
interface Account {
  readonly id: string
  version: number
  value: string | undefined
}

type Answer =
  | { readonly is: 'done'; readonly status: 'appended' | 'duplicate' | 'unchanged' }
  | { readonly is: 'claimed' | 'version' | 'unknown' | 'unreached' }
  | { readonly is: 'refused'; readonly code: string }

const done = z.object({ status: z.enum(['appended', 'duplicate', 'unchanged']) })
const calls = {
  create: ['POST', '/events'],
  change: ['PATCH', '/events'],
  release: ['POST', '/events/release'],
} as const
const mostAccounts = 16

/**
 * A client of Uniq that plays by the rules: one operation at a time, the same event again after an unknown result,
 * and no account that is used on before it is known what became of it.
 */
export class HonestClient {
  readonly sightings: Sightings = {
    history: [],
    attempts: 0,
    unknowns: 0,
    duplicates: 0,
    settled: 0,
    contradictions: [],
  }
  readonly #options: HonestClientOptions
  readonly #services: readonly ServiceClient[]
  readonly #accounts: Account[] = []
  readonly #known = new Map<string, string | undefined>()
  #made = 0

  constructor(options: HonestClientOptions) {
    this.#options = options
    this.#services = options.urls.map((baseUrl) =>
      serviceClient({ name: 'uniq', baseUrl, token: serviceToken, timeoutMs: options.attemptMs }),
    )
  }

  /** What accounts hold, or that they hold nothing; without those of which nobody knows. */
  get known(): ReadonlyMap<string, string | undefined> {
    return this.#known
  }

  /** Does one operation of its choice. */
  async step(): Promise<void> {
    const { random, name } = this.#options
    const dice = random()
    const create = this.#accounts.length === 0 || (dice < 0.45 && this.#accounts.length < mostAccounts)
    const account = create
      ? { id: `${name}-${++this.#made}`, version: 0, value: undefined }
      : (this.#accounts.splice(between(random, 0, this.#accounts.length - 1), 1)[0] as Account)
    const action = create ? 'create' : dice > 0.8 ? 'release' : 'change'
    const value = action === 'release' ? undefined : this.#anyValue()
    if (await this.#operate(account, action, value)) this.#known.set(account.id, account.value)
    else this.#known.delete(account.id)
    if (this.#known.get(account.id) !== undefined) this.#accounts.push(account)
  }

  // The lower numbers are wanted most.
  #anyValue(): string {
    const { random, values } = this.#options
    return hotValue(Math.floor(random() ** 2 * values))
  }

  /** Does an operation until it is known what became of it. False: nobody knows, and the account is used no more. */
  async #operate(account: Account, action: Operation['action'], value: string | undefined): Promise<boolean> {
    const event = eventOf(action, account.id, value && respelled(this.#options.random, value))
    const start = performance.now()
    let unknown = false
    for (let tries = 0; ; tries++) {
      const begun = performance.now()
      const answer = await this.#attempt(action, event, account.version, tries)
      const record = (result: Operation['result'], from: number) =>
        this.#record({ account: account.id, action, value, start: from, result })
      switch (answer.is) {
        case 'done':
          record('ok', start)
          if (answer.status !== 'unchanged') account.version += 1
          account.value = value
          return true
        case 'claimed':
          record('claimed', begun)
          return !unknown || this.#settle(account, { action, value, start })
        case 'version':
        case 'refused':
          record('failed', begun)
          this.#contradict(account, action, answer)
          return false
        case 'unknown':
          unknown = true
          break
        case 'unreached':
          break
      }
      if (performance.now() - start > this.#options.patienceMs) {
        record(unknown ? 'unknown' : 'failed', start)
        return !unknown
      }
      await this.#breathe()
    }
  }

  /**
   * After an unknown attempt a refusal is not the end: that attempt may be on its way still, and succeed when the
   * value is free. Something else is written that demands the same version: either it stands, and nothing of the
   * operation ever will, or the version has gone on, and the operation stands.
   */
  async #settle(
    account: Account,
    open: {
      readonly action: Operation['action']
      readonly value: string | undefined
      readonly start: number
    },
  ): Promise<boolean> {
    const action = account.version === 0 ? 'create' : 'change'
    const value = `only-${account.id}-${account.version}@example.org`
    const event = eventOf(action, account.id, value)
    const start = performance.now()
    this.sightings.settled += 1
    const record = (result: Operation['result'], of: typeof open) =>
      this.#record({ account: account.id, action: of.action, value: of.value, start: of.start, result })
    for (let tries = 0; performance.now() - start <= this.#options.patienceMs; tries++) {
      const answer = await this.#attempt(action, event, account.version, tries)
      if (answer.is === 'done' || answer.is === 'version') {
        const stands: typeof open = answer.is === 'done' ? { action, value, start } : open
        record('ok', stands)
        account.version += 1
        account.value = stands.value
        return true
      }
      if (answer.is === 'claimed' || answer.is === 'refused') {
        this.#contradict(account, action, answer)
        break
      }
      await this.#breathe()
    }
    record('unknown', open)
    record('unknown', { action, value, start })
    return false
  }

  async #attempt(action: Operation['action'], event: Event, version: number, tries: number): Promise<Answer> {
    const [method, path] = calls[action]
    // On a machine with too much to do, repeats that give up as soon as the first would keep all others from their end.
    const timeoutMs = this.#options.attemptMs * 2 ** Math.min(tries, 3)
    const service = oneOf(this.#options.random, this.#services)
    this.sightings.attempts += 1
    try {
      const { body } = await service.json(path, {
        method,
        body: cloudEventOf(event),
        headers: { 'X-Expected-Version': String(version) },
        timeoutMs,
      })
      const { status } = done.parse(body)
      if (status === 'duplicate') this.sightings.duplicates += 1
      return { is: 'done', status }
    } catch (error) {
      const answer = meaningOf(error)
      if (answer.is === 'unknown') this.sightings.unknowns += 1
      return answer
    }
  }

  #record(operation: Omit<Operation, 'end' | 'value'> & { readonly value: string | undefined }): void {
    const { value, ...rest } = operation
    this.sightings.history.push({
      ...rest,
      ...(value === undefined ? {} : { value }),
      end: performance.now(),
    })
  }

  #contradict(account: Account, action: string, answer: Answer): void {
    const what = answer.is === 'refused' ? answer.code : answer.is
    this.sightings.contradictions.push(`${action} of ${account.id} at ${account.version}: ${what}`)
  }

  #breathe(): Promise<void> {
    const { random, signal } = this.#options
    return setTimeout(between(random, 5, 60), undefined, { signal })
  }
}

const meanings: Readonly<Record<string, 'claimed' | 'version' | 'unknown' | 'unreached'>> = {
  'append.claimed': 'claimed',
  'append.version': 'version',
  'append.unknown': 'unknown',
  'append.gated': 'unreached',
  'log.unavailable': 'unreached',
}

function meaningOf(error: unknown): Answer {
  if (!(error instanceof MillraceError)) throw error
  if (error.code === 'service.unavailable')
    return { is: error.details['outcome'] === 'not-sent' ? 'unreached' : 'unknown' }
  const is = meanings[error.code]
  return is ? { is } : { is: 'refused', code: `${error.code} ${error.message}` }
}
