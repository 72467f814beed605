import type { Reached } from '../group-store.ts'

/**
 * What a member has in hand of one partition, by sequence number: everything up to the position is settled, everything
 * up to the cursor was read. In between lie at most `size` events.
 */
export class SeqWindow {
  readonly #size: number
  /** Settled before this lease, and not read again yet. */
  readonly #before: Set<number>
  /** Stream ids behind the position, in order; an empty one is settled. */
  #ids: string[] = []
  #settled: boolean[] = []
  #head = 0
  #position: Reached
  #cursor: Reached
  #settledAhead = 0

  constructor(start: Reached, ahead: readonly number[], size: number) {
    this.#position = this.#cursor = { id: start.id, seq: start.seq }
    this.#before = new Set(ahead)
    this.#size = size
  }

  /** The last event up to which everything was settled at the last {@link advance}. */
  get position(): Reached {
    return this.#position
  }

  /** The last event that was read. */
  get cursor(): Reached {
    return this.#cursor
  }

  get inHand(): number {
    return this.#cursor.seq - this.#position.seq
  }

  /** Events beyond the position that are settled, and were read by this member. */
  get settledAhead(): number {
    return this.#settledAhead
  }

  get room(): number {
    return this.#size - this.inHand
  }

  /** Takes in the next event; answers whether it has to be handled. */
  take(at: Reached): boolean {
    if (at.seq !== this.#cursor.seq + 1)
      throw new TypeError(`Bug: event ${at.seq} came after ${this.#cursor.seq}`)
    const known = this.#before.delete(at.seq)
    this.#ids.push(at.id)
    this.#settled.push(known)
    if (known) this.#settledAhead += 1
    this.#cursor = at
    return !known
  }

  settle(seq: number): void {
    const at = this.#head + seq - this.#position.seq - 1
    if (this.#settled[at] !== false) throw new TypeError(`Bug: event ${seq} is settled, or not in hand`)
    this.#settled[at] = true
    this.#settledAhead += 1
  }

  /** Moves the position over what is settled; answers by how many events. */
  advance(): number {
    let at = this.#head
    while (this.#settled[at] === true) at += 1
    const moved = at - this.#head
    if (moved === 0) return 0
    this.#settledAhead -= moved
    this.#position = { id: this.#ids[at - 1] ?? '', seq: this.#position.seq + moved }
    this.#head = at
    // Kept as arrays with a moving head: a shift for each event would move all others.
    if (at >= this.#size || at === this.#ids.length) {
      this.#ids = this.#ids.slice(at)
      this.#settled = this.#settled.slice(at)
      this.#head = 0
    }
    return moved
  }

  /** Sequence numbers beyond the position that are settled, ascending. */
  ahead(): number[] {
    const ahead: number[] = []
    const first = this.#position.seq + 1
    for (let at = this.#head; at < this.#settled.length; at++)
      if (this.#settled[at] === true) ahead.push(first + at - this.#head)
    if (this.#before.size > 0) ahead.push(...[...this.#before].toSorted((a, b) => a - b))
    return ahead
  }
}
