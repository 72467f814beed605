import { setTimeout as pause } from 'node:timers/promises'
import type { ReaderCommand, ReaderOrder, ReaderWord } from './reader-life.ts'
import { Child } from './child.ts'

/** What was done to the readers, and what they said. */
export interface ReaderTale {
  kills: number
  pauses: number
  /** Appends of readers that had slept through their lease: each was refused. */
  fenced: number
  readonly states: Record<string, number>
  /** Why readers stopped for good. */
  readonly stopped: string[]
}

interface Reader {
  readonly name: string
  readonly child: Child<ReaderOrder, ReaderWord>
  state: string
  isHolding: boolean
}

/** Two readers of the pipeline, of which one reads and the other stands by. */
export class ChangeReaders {
  readonly tale: ReaderTale = { kills: 0, pauses: 0, fenced: 0, states: {}, stopped: [] }
  readonly #order: Omit<ReaderOrder, 'holder'>
  readonly #file: string
  readonly #readers: Reader[] = []
  #names = 0

  /** @param file What a reader runs. */
  constructor(order: Omit<ReaderOrder, 'holder'>, file = 'change-process.ts') {
    this.#order = order
    this.#file = file
  }

  /** @param name The name of a reader that has ended has its lease at once. Default: a fresh one. */
  start(name = `reader-${++this.#names}`): void {
    const reader: Reader = {
      name,
      child: new Child<ReaderOrder, ReaderWord>(this.#file, { ...this.#order, holder: name }, (word) =>
        this.#hear(reader, word),
      ),
      state: 'starting',
      isHolding: false,
    }
    this.#readers.push(reader)
  }

  /** The one that reads. */
  get active(): Reader | undefined {
    return this.#readers.find(
      ({ state, child }) => child.running && (state === 'streaming' || state === 'snapshot'),
    )
  }

  /** Resolves when one reads, at most after so many ms. */
  async someActive(patienceMs: number): Promise<Reader | undefined> {
    for (const untilMs = performance.now() + patienceMs; performance.now() < untilMs; await pause(10))
      if (this.active) return this.active
    return undefined
  }

  /** SIGKILL to the one that reads, else to any. `again`: it is started again under its name. */
  async kill(again: boolean): Promise<void> {
    const reader = this.active ?? this.#readers[0]
    if (!reader) return
    await reader.child.kill()
    this.#readers.splice(this.#readers.indexOf(reader), 1)
    this.tale.kills += 1
    this.start(again ? reader.name : undefined)
  }

  /** Puts the one that reads to sleep between its decision to append and the append, until another one reads. */
  async sleepThrough(patienceMs: number, write: () => void): Promise<void> {
    const reader = await this.someActive(patienceMs)
    reader?.child.tell('hold-append' satisfies ReaderCommand)
    write()
    if (!reader) return
    await within(10_000, () => reader.isHolding)
    if (!reader.isHolding) {
      // It has lost its servers, or nothing was written: there is no append to sleep with.
      reader.child.tell('let-append' satisfies ReaderCommand)
      return
    }
    reader.child.pause()
    this.tale.pauses += 1
    reader.state = 'asleep'
    await this.someActive(patienceMs)
    await pause(200)
    reader.state = 'awake'
    reader.isHolding = false
    const before = this.tale.fenced
    reader.child.goOn()
    reader.child.tell('let-append' satisfies ReaderCommand)
    await within(10_000, () => this.tale.fenced > before)
  }

  /**
   * Puts readers to sleep until one that overslept was refused: a busy machine may have had none to put to sleep when
   * its turn was, or none that took over in time.
   *
   * @param write Writes some more, for the reader to have something to append.
   */
  async proveFence(
    { beginMs, patienceMs }: { readonly beginMs: number; readonly patienceMs: number },
    write: () => void,
  ): Promise<void> {
    const { tale } = this
    const isProven = () => Math.min(tale.pauses, tale.fenced) + tale.stopped.length > 0
    const untilMs = performance.now() + patienceMs
    while (!isProven() && performance.now() < untilMs) await this.sleepThrough(beginMs, write)
  }

  async end(): Promise<void> {
    for (const { child } of this.#readers) {
      child.goOn()
      await child.kill()
    }
  }

  #hear(reader: Reader, word: ReaderWord): void {
    switch (word.type) {
      case 'state':
        reader.state = word.state
        this.tale.states[word.state] = (this.tale.states[word.state] ?? 0) + 1
        if (word.state === 'stopped') this.tale.stopped.push(word.why)
        return
      case 'holding':
        reader.isHolding = true
        return
      case 'fenced':
        this.tale.fenced += 1
    }
  }
}

/** Resolves when something is so, at the latest after so many ms. */
async function within(ms: number, isSo: () => boolean): Promise<void> {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs && !isSo();) await pause(10)
}
