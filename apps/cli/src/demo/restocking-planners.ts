import { setTimeout as delay } from 'node:timers/promises'
import { freshId, MillraceError } from '@millrace/event'
import type { RestockingRig } from './restocking-places.ts'
import type { Counts } from './restocking-seen.ts'
import { Seeded } from './seeded.ts'

/** What has become of the planners' clicks. */
export interface Clicks {
  /** Suggestions that were carried out; of each a mail goes out. */
  readonly carried: readonly string[]
  /** How many were refused, by reason in words. */
  readonly refused: Counts
}

/** What planners are told. */
export interface PlannersOptions {
  readonly seed: string
  readonly signal: AbortSignal
  /** How many there are: each waits for its click before the next. Default 8. */
  readonly planners?: number
}

interface Open {
  readonly id: string
}

/** Planners: each looks at what is open now, takes one, and clicks at once on what it shows. */
export class Planners {
  readonly #rig: Pick<RestockingRig, 'restocking'>
  readonly #options: PlannersOptions
  readonly #random: Seeded
  readonly #inHand = new Set<string>()
  readonly #carried: string[] = []
  readonly #refused: Record<string, number> = {}
  readonly #working: Promise<void>[] = []
  /** Clicks that are to be made. */
  #due = 0
  #over = false
  #wake = Promise.withResolvers<void>()

  constructor(rig: Pick<RestockingRig, 'restocking'>, options: PlannersOptions) {
    this.#rig = rig
    this.#options = options
    this.#random = new Seeded(`planners ${options.seed}`)
    const { planners = 8 } = options
    for (let name = 1; name <= planners; name += 1) {
      const working = this.#work(`planner ${name}`)
      // Whoever waits for the end hears of it.
      working.catch(() => undefined)
      this.#working.push(working)
    }
  }

  /** It is time for so many clicks more. */
  release(clicks: number): void {
    this.#due += clicks
    this.#tellAll()
  }

  /** Waits for the clicks that are due. @throws what has gone wrong otherwise than by a refusal */
  async finish(): Promise<Clicks> {
    this.#over = true
    this.#tellAll()
    await Promise.all(this.#working)
    return { carried: this.#carried, refused: this.#refused }
  }

  async #work(name: string): Promise<void> {
    while (!this.#options.signal.aborted) {
      if (this.#due > 0) {
        this.#due -= 1
        await this.#click(name)
      } else if (this.#over) return
      else await this.#wake.promise
    }
  }

  #tellAll(): void {
    const { resolve } = this.#wake
    this.#wake = Promise.withResolvers()
    resolve()
  }

  async #click(name: string): Promise<void> {
    const open = (await this.#openNow()).filter(({ id }) => !this.#inHand.has(id))
    if (open.length === 0) return
    const { id } = this.#random.pick(open)
    this.#inHand.add(id)
    const refusal = await this.#carryOut(id, name)
    this.#inHand.delete(id)
    if (refusal === undefined) this.#carried.push(id)
    else this.#refused[refusal] = (this.#refused[refusal] ?? 0) + 1
  }

  async #openNow(): Promise<readonly Open[]> {
    const query = { status: 'open', limit: '500' }
    const { body } = await this.#rig.restocking.json('/suggestions', { query })
    return (body as { readonly suggestions: readonly Open[] }).suggestions
  }

  /** Answers why it was refused; undefined when it was carried out. */
  async #carryOut(id: string, name: string): Promise<string | undefined> {
    const path = `/suggestions/${encodeURIComponent(id)}`
    try {
      await this.#rig.restocking.json(`${path}/carry-out`, {
        method: 'POST',
        headers: { 'X-Actor': name },
        idempotencyKey: freshId(),
      })
    } catch (error) {
      if (error instanceof MillraceError && error.code.startsWith('suggestion.')) return refusalOf(error)
      throw error
    }
    // The answer may be that it is under way.
    for (;;) {
      const { body } = await this.#rig.restocking.json(path)
      const { status } = body as { readonly status: string }
      if (status === 'completed' || status === 'needs-attention') return undefined
      if (status !== 'in-progress' || this.#options.signal.aborted) return refusals['append.version']
      await delay(200)
    }
  }
}

const refusals = {
  'append.version': 'the order had changed',
  'order.finished': 'the order was shipped or cancelled',
  'suggestion.gone': 'withdrawn a moment before',
  'suggestion.decided': 'decided by somebody else',
  'suggestion.unknown': 'unknown',
} as const

function refusalOf({ code, details }: MillraceError): string {
  const known = new Map<unknown, string>(Object.entries(refusals))
  return known.get(details?.['refused']) ?? known.get(code) ?? code
}
