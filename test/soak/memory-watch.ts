/** Memory of this process at one point of a run, in bytes. */
export interface MemoryMark {
  readonly events: number
  /** In use after a full garbage collection. */
  readonly heap: number
  readonly rss: number
}

/** Marks the memory every so many events. Needs `--expose-gc`. */
export class MemoryWatch {
  readonly marks: MemoryMark[] = []
  readonly #every: number
  #events = 0

  constructor(every: number) {
    this.#every = every
    if (globalThis.gc === undefined)
      throw new TypeError('A run that watches memory is started with --expose-gc')
  }

  get events(): number {
    return this.#events
  }

  /** Answers the new mark where one is due. */
  count(): MemoryMark | undefined {
    this.#events += 1
    if (this.#events % this.#every !== 0) return undefined
    globalThis.gc?.()
    const { heapUsed, rss } = process.memoryUsage()
    const mark = { events: this.#events, heap: heapUsed, rss }
    this.marks.push(mark)
    return mark
  }
}

/** How far the later heap is from what it was after the warm-up, as a part of that: 0.1 is a tenth more. */
export function growth(marks: readonly MemoryMark[], warmUp = 0.2): number {
  const later = marks.slice(Math.floor(marks.length * warmUp))
  const [first] = later
  if (!first || later.length < 3) throw new TypeError('There are too few marks to say anything')
  return Math.max(...later.map(({ heap }) => heap)) / first.heap - 1
}
