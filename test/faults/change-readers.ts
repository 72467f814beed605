import { setTimeout as pause } from 'node:timers/promises'
import type { ReaderCommand, ReaderOrder, ReaderWord } from './change-process.ts'
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
    if (!reader) return
    reader.child.tell('hold-append' satisfies ReaderCommand)
    write()
    for (let left = 200; left > 0 && !reader.isHolding; left--) await pause(10)
    reader.child.pause()
    this.tale.pauses += 1
    reader.state = 'asleep'
    await this.someActive(patienceMs)
    await pause(200)
    reader.state = 'awake'
    reader.isHolding = false
    reader.child.goOn()
    reader.child.tell('let-append' satisfies ReaderCommand)
    await pause(100)
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
