import { setTimeout as sleep } from 'node:timers/promises'

/** A reply that refuses, as smtp-server and the test API read it. */
export class Refusal extends Error {
  readonly responseCode: number

  constructor(responseCode: number, message: string) {
    super(message)
    this.responseCode = responseCode
  }
}

/** How often a fault strikes before it is over; `Infinity` until `heal`. */
type Times = number

/** What a provider does wrong. Each fault is counted when it strikes, so that a test can show it did. */
export class MailFaults {
  #struck = 0
  #refused = new Map<string, Refusal>()
  #greeting: { left: Times; refusal: Refusal } | undefined
  #sender: { left: Times; refusal: Refusal } | undefined
  #recipient: { left: Times; refusal: Refusal } | undefined
  #content: { left: Times; refusal: Refusal } | undefined
  #cutAnswer: Times = 0
  #cutBody: Times = 0
  #delayMs = 0
  #stopDelay = new AbortController()

  /** How many times any fault has struck. */
  get struck(): number {
    return this.#struck
  }

  /** Refuses one address, for good unless the code is 4xx. */
  refuse(address: string, code = 550, text = '5.1.1 No such user here'): void {
    this.#refused.set(address.toLowerCase(), new Refusal(code, text))
  }

  /** Turns every connection away at the greeting. */
  refuseConnections(code = 421, text = '4.3.2 Try again later', times: Times = Infinity): void {
    this.#greeting = { left: times, refusal: new Refusal(code, text) }
  }

  /** Refuses our own address. */
  refuseSender(code = 550, text = '5.7.1 Sender not allowed', times: Times = Infinity): void {
    this.#sender = { left: times, refusal: new Refusal(code, text) }
  }

  /** Refuses every recipient for a while; with the defaults as greylisting does. */
  defer(code = 451, text = '4.2.0 Greylisted, try again later', times: Times = Infinity): void {
    this.#recipient = { left: times, refusal: new Refusal(code, text) }
  }

  /** Answers a whole mail with a refusal. */
  refuseContent(code = 554, text = '5.7.1 Message looks like spam', times: Times = Infinity): void {
    this.#content = { left: times, refusal: new Refusal(code, text) }
  }

  /** Takes the mail, then hangs up instead of answering. */
  cutAnswer(times: Times = 1): void {
    this.#cutAnswer = times
  }

  /** Hangs up when the body begins. */
  cutBody(times: Times = 1): void {
    this.#cutBody = times
  }

  /** Answers a whole mail late. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs
  }

  /** Ends every fault, and every delay that is running. */
  heal(): void {
    this.#refused.clear()
    this.#greeting = this.#sender = this.#recipient = this.#content = undefined
    this.#cutAnswer = this.#cutBody = this.#delayMs = 0
    this.#stopDelay.abort()
    this.#stopDelay = new AbortController()
  }

  greeting(): Refusal | null {
    return this.#strikes(this.#greeting)
  }

  sender(): Refusal | null {
    return this.#strikes(this.#sender)
  }

  recipient(address: string): Refusal | null {
    const refusal = this.#refused.get(address.toLowerCase())
    return refusal === undefined ? this.#strikes(this.#recipient) : this.#strikes({ left: 1, refusal })
  }

  content(): Refusal | null {
    return this.#strikes(this.#content)
  }

  cutsAnswer(): boolean {
    if (this.#cutAnswer <= 0) return false
    this.#cutAnswer -= 1
    this.#struck += 1
    return true
  }

  cutsBody(): boolean {
    if (this.#cutBody <= 0) return false
    this.#cutBody -= 1
    this.#struck += 1
    return true
  }

  async delay(): Promise<void> {
    if (this.#delayMs === 0) return
    this.#struck += 1
    // An aborted delay is a healed one, not an error.
    await sleep(this.#delayMs, undefined, { signal: this.#stopDelay.signal }).catch(() => undefined)
  }

  #strikes(fault: { left: Times; refusal: Refusal } | undefined): Refusal | null {
    if (fault === undefined || fault.left <= 0) return null
    fault.left -= 1
    this.#struck += 1
    return fault.refusal
  }
}
