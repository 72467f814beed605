import { MillraceError } from '@millrace/event'
import type { AppendResult } from '@millrace/log'
import { demand } from './story.ts'

export const same = 'memory and Redis answer alike'

/** What changes nothing: asked of memory alone, but for each so many-th call. Everything stored is compared anyway. */
const reads =
  /^(read|readKey|channel|ownerOf|liveVersions|look|loadStates|migrations|parked|dueKeys|dueTimers|rulings|requeued|outbox|pendingEffects|deadItems|deadEffects|withheldEffects)$/
const readBoth = 8

/**
 * One store, or one log, twice. What is asked of it at the same moment Redis carries out in an order of its own: memory is
 * asked when all of that is answered, in the order in which Redis has appended.
 */
export class Twins<T extends object> {
  readonly store: T
  /** The last call was refused because of something foreign. */
  refused = false
  /** Tokens of Redis, and those of memory that stand for the same lease. */
  readonly #tokens = new Map<string, string>([['', '']])
  #restore: (() => Promise<void>) | undefined
  #reads = 0
  /** Calls that have begun and not ended. */
  #open = 0
  /** Those of them that Redis has answered, and memory not. */
  readonly #answered: { readonly place: number; readonly go: () => void }[] = []
  #asking = false

  constructor(memory: T, real: T) {
    this.store = new Proxy(real, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name)
        const twin: unknown = Reflect.get(memory, name)
        if (typeof method !== 'function' || typeof twin !== 'function') return method
        return (...args: readonly unknown[]) => {
          const asked = () => Reflect.apply(method, target, args) as Promise<unknown>
          const twinAsked = () =>
            Reflect.apply(
              twin,
              memory,
              args.map((one) => this.#translated(one)),
            ) as Promise<unknown>
          const alone = reads.test(String(name)) && ++this.#reads % readBoth !== 0
          return alone ? twinAsked() : this.#both(String(name), asked, twinAsked)
        }
      },
    })
  }

  /** Plays a call while something is foreign; `restore` is called as soon as Redis has answered. */
  async harmed(act: () => Promise<void>, restore: () => Promise<void>): Promise<void> {
    this.#restore = restore
    await act()
    await this.#restored()
  }

  async #restored(): Promise<void> {
    const restore = this.#restore
    this.#restore = undefined
    await restore?.()
  }

  async #both(name: string, real: () => Promise<unknown>, memory: () => Promise<unknown>): Promise<unknown> {
    this.#open += 1
    let turn = false
    try {
      const found = await answer(real)
      this.refused = isForeign(found.code)
      const harmed = this.#restore !== undefined
      await this.#restored()
      if (harmed && found.error && this.refused) throw found.error
      await this.#turnOf(found)
      turn = true
      const expected = await answer(memory)
      this.#learnToken(found.value, expected.value)
      const [a, b] = [plain(found), plain(expected)]
      demand(a === b, same, () => `${name} came to ${a} on Redis and ${b} in memory`)
      if (found.error !== undefined) throw found.error
      return found.value
    } finally {
      this.#open -= 1
      if (turn) this.#asking = false
      this.#goOn()
    }
  }

  /** Resolves when it is this call's turn to be asked of memory. The end of the call ends its turn. */
  async #turnOf({ value }: Answer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#answered.push({ place: placeOf(value), go: resolve })
    this.#goOn()
    await promise
  }

  #goOn(): void {
    if (this.#asking || this.#answered.length < this.#open) return
    const [first] = this.#answered.toSorted((a, b) => a.place - b.place)
    if (!first) return
    this.#answered.splice(this.#answered.indexOf(first), 1)
    this.#asking = true
    first.go()
  }

  #learnToken(real: unknown, memory: unknown): void {
    const [a, b] = [tokenOf(leaseIn(real)), tokenOf(leaseIn(memory))]
    if (a !== undefined && b !== undefined) this.#tokens.set(a, b)
  }

  /** What is said with a token of Redis, said with the one of memory. */
  #translated(said: unknown): unknown {
    if (typeof said === 'string') return this.#tokens.get(said) ?? said
    const token = tokenOf(said)
    return token === undefined ? said : { ...(said as object), token: this.#tokens.get(token) ?? token }
  }
}

/** Whether a call was refused because of something that is none of Millrace's. */
export function isForeign(code: string | undefined): boolean {
  return code === 'log.corrupt' || code === 'internal'
}

/** Where something was appended; what was not comes behind all that was, which may be why. */
function placeOf(value: unknown): number {
  const results = Array.isArray(value) ? (value as readonly Partial<AppendResult>[]) : []
  const appended = results.find((one) => one?.status === 'appended')
  return appended && 'positions' in appended ? (appended.positions?.[0]?.seq ?? 0) : Number.MAX_SAFE_INTEGER
}

interface Answer {
  readonly value?: unknown
  readonly error?: MillraceError
  readonly code?: string
}

export async function answer(act: () => Promise<unknown>): Promise<Answer> {
  try {
    return { value: await act() }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return { error, code: error.code }
  }
}

function plain({ value, error }: Answer): string {
  return canonical(error ? { code: error.code, details: error.details } : value)
}

/** JSON with its names in order, and without tokens, which are random. */
export function canonical(value: unknown): string {
  const sorted = (name: string, one: unknown): unknown => {
    if (name === 'token') return undefined
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one
    return Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
  return JSON.stringify(value, sorted) ?? 'nothing'
}

/** A freeze answers the lease as a part. */
function leaseIn(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'lease' in value ? value.lease : value
}

function tokenOf(value: unknown): string | undefined {
  const isThere = typeof value === 'object' && value !== null && 'token' in value
  return isThere && typeof value.token === 'string' ? value.token : undefined
}
