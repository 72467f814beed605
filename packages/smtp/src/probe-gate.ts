import { abortableWait, type Wait } from './abortable-wait.ts'
import type { MailBreaker } from './mail-breaker.ts'
import { gaveUp } from './mail-failure.ts'

export interface GateSettings {
  /** Mails that may be tried at once. */
  readonly atOnce: number
  /** In vain probes of one mail before another mail probes. */
  readonly probesPerMail: number
}

/** A mail's place in the line, kept over all its attempts. */
export interface Turn {
  /** Resolves when this mail may try; rejects with `mail.temporary` on an abort or a stop. */
  ready(signal?: AbortSignal): Promise<void>
  /** To be called after every attempt. */
  tried(): void
  /** Leaves the line. */
  end(): void
}

interface Place {
  probes: number
  trying: 'no' | 'yes' | 'as-probe'
  wait?: Wait
}

const repeatedProbeMs = 1_000

/**
 * Who may try, and when. Closed: the oldest mails, `atOnce` of them. Open: nobody until the pause is over,
 * then one mail, the oldest. So a backlog goes in the order in which it came.
 *
 * A mail that has probed in vain `probesPerMail` times lets the next one probe: it may itself be what the
 * provider chokes on, and one mail must not hold up the others.
 */
export class ProbeGate {
  readonly #breaker: MailBreaker
  readonly #settings: GateSettings
  readonly #line = new Set<Place>()
  readonly #onlookers = new Set<Wait>()
  readonly #forget: () => void
  #trying = 0
  #timer: NodeJS.Timeout | undefined
  #resumeAt: number | undefined
  #probeDue = false
  #stopped = false

  constructor(breaker: MailBreaker, settings: GateSettings) {
    this.#breaker = breaker
    this.#settings = settings
    this.#forget = breaker.onStateChange((state) => {
      this.#probeDue = false
      if (state === 'open') this.hold(breaker.pauseMs)
      else if (state === 'closed') this.#resume()
    })
  }

  /** Mails that wait for their turn. */
  get waiting(): number {
    return this.#waitingPlaces().length
  }

  /** When the next probe is due, in milliseconds since the epoch; undefined unless open. */
  get probeAt(): number | undefined {
    return this.#breaker.state === 'open' ? this.#resumeAt : undefined
  }

  /** Takes the next place in the line. */
  turn(): Turn {
    const place: Place = { probes: 0, trying: 'no' }
    this.#line.add(place)
    const tried = (): void => this.#tried(place)
    return {
      ready: (signal) => this.#ready(place, signal),
      tried,
      end: () => {
        this.#line.delete(place)
        tried()
      },
    }
  }

  /** Nobody tries for so long; an earlier hold that lasts longer stays. */
  hold(forMs: number): void {
    const resumeAt = Date.now() + forMs
    if (this.#stopped || (this.#timer !== undefined && (this.#resumeAt ?? 0) >= resumeAt)) return
    clearTimeout(this.#timer)
    this.#resumeAt = resumeAt
    // One more, as a timer may fire within the millisecond before and cockatiel would not let it through.
    this.#timer = setTimeout(() => this.#resume(), forMs + 1)
  }

  /** Resolves while the provider is thought to be there, and when somebody is wanted for a probe. */
  async allowed(signal?: AbortSignal): Promise<void> {
    while (!this.#allows()) {
      const wait = this.#newWait(signal)
      this.#onlookers.add(wait)
      try {
        await wait.done
      } finally {
        this.#onlookers.delete(wait)
      }
    }
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#forget()
    for (const { wait } of this.#line) wait?.fail(gaveUp('stopped'))
    for (const wait of this.#onlookers) wait.fail(gaveUp('stopped'))
  }

  async #ready(place: Place, signal?: AbortSignal): Promise<void> {
    const wait = this.#newWait(signal)
    place.wait = wait
    this.#dispatch()
    try {
      await wait.done
    } finally {
      delete place.wait
    }
  }

  #newWait(signal?: AbortSignal): Wait {
    if (this.#stopped) throw gaveUp('stopped')
    return abortableWait(signal)
  }

  #allows(): boolean {
    return this.#breaker.state === 'closed' || (this.#probeDue && this.waiting === 0)
  }

  #resume(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#probeDue = this.#breaker.state === 'open'
    this.#dispatch()
  }

  #dispatch(): void {
    if (this.#timer === undefined && this.#breaker.state === 'closed') this.#letTheOldestTry()
    else if (this.#breaker.state === 'open' && this.#probeDue) this.#letOneProbe()
    if (this.#allows()) for (const wait of this.#onlookers) wait.go()
  }

  #letTheOldestTry(): void {
    for (const place of this.#line) {
      if (this.#trying >= this.#settings.atOnce) return
      if (place.wait?.go() === true) this.#start(place, 'yes')
    }
  }

  #letOneProbe(): void {
    const rounds = ({ probes }: Place): number => Math.floor(probes / this.#settings.probesPerMail)
    const candidates = this.#waitingPlaces().toSorted((a, b) => rounds(a) - rounds(b))
    const chosen = candidates.find(({ wait }) => wait?.go() === true)
    if (chosen === undefined) return
    chosen.probes += 1
    this.#start(chosen, 'as-probe')
    this.#probeDue = false
  }

  #start(place: Place, trying: 'yes' | 'as-probe'): void {
    place.trying = trying
    this.#trying += 1
  }

  #tried(place: Place): void {
    if (place.trying === 'no') return
    const unused = place.trying === 'as-probe' && this.#breaker.state === 'open' && this.#timer === undefined
    place.trying = 'no'
    this.#trying -= 1
    // The mail was given up between its turn and its attempt, or the clock went back: without this nobody
    // would ever probe again.
    if (unused) this.hold(Math.min(this.#breaker.pauseMs, repeatedProbeMs))
    this.#dispatch()
  }

  #waitingPlaces(): Place[] {
    return [...this.#line].filter(({ wait }) => wait !== undefined)
  }
}
