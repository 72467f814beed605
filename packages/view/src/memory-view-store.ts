import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import {
  type Checkpoint,
  type Checkpoints,
  later,
  newTo,
  nothingApplied,
  takenElsewhere,
} from './checkpoint.ts'
import { type Folding, foldNew } from './view.ts'
import type { Building, Generation, Held, Moved, ViewStore } from './view-store.ts'

/** Options of {@link createMemoryViewStore}. */
export interface MemoryViewStoreOptions<State, Tx> {
  readonly partitions: number
  /** Data of an empty view; must survive `structuredClone`. */
  readonly initial: () => State
  /** What a fold and a query work with, on given data. */
  readonly transaction: (state: State) => Tx
}

/** Makes an empty view in memory, with the same promises as one in a database but durability. */
export function createMemoryViewStore<State, Tx>(options: MemoryViewStoreOptions<State, Tx>): ViewStore<Tx> {
  return new InMemoryView(options)
}

class MemoryGeneration<State, Tx> implements Generation<Tx> {
  state: State
  stands: Map<number, Checkpoint>
  /** Who has a partition in hand. */
  readonly holders = new Map<number, string>()
  readonly #transaction: (state: State) => Tx
  #line: Promise<unknown> = Promise.resolve()

  constructor(options: MemoryViewStoreOptions<State, Tx>, from?: MemoryGeneration<State, Tx>) {
    this.state = from ? structuredClone(from.state) : options.initial()
    this.stands = new Map(
      Array.from({ length: options.partitions }, (_, partition) => [
        partition,
        from?.stands.get(partition) ?? nothingApplied,
      ]),
    )
    this.#transaction = options.transaction
  }

  async checkpoints(): Promise<Checkpoints> {
    return new Map(this.stands)
  }

  apply(events: readonly Recorded[], view: Folding<Tx>): Promise<Checkpoint> {
    const partition = events[0]?.position.partition ?? 0
    return this.alone(async (tx) => {
      const fresh = newTo(this.at(partition), events)
      await foldNew(tx, fresh, view)
      const last = fresh.at(-1)?.position
      if (last) this.stands.set(partition, { id: last.id, seq: last.seq })
      return this.at(partition)
    })
  }

  applyHeld(
    { partition, token }: Held,
    events: readonly Recorded[],
    view: Folding<Tx>,
    reached: Checkpoint,
  ): Promise<Checkpoint> {
    return this.alone(async (tx) => {
      if (this.holders.get(partition) !== token) throw takenElsewhere(partition)
      await foldNew(tx, events, view)
      this.stands.set(partition, later(this.at(partition), reached))
      return this.at(partition)
    })
  }

  at(partition: number): Checkpoint {
    return this.stands.get(partition) ?? nothingApplied
  }

  /** One transaction after the other: on a copy, which takes the place of the data when all went well. */
  alone<T>(act: (tx: Tx) => Promise<T>): Promise<T> {
    const turn = this.#line.then(async () => {
      const [state, stands] = [this.state, this.stands]
      this.state = structuredClone(state)
      this.stands = new Map(stands)
      try {
        return await act(this.#transaction(this.state))
      } catch (error) {
        this.state = state
        this.stands = stands
        throw error
      }
    })
    this.#line = turn.catch(() => undefined)
    return turn
  }
}

class InMemoryView<State, Tx> implements ViewStore<Tx> {
  readonly #options: MemoryViewStoreOptions<State, Tx>
  readonly #listeners = new Set<(moved: Moved) => void>()
  #live: MemoryGeneration<State, Tx>
  #left: { readonly name: string; readonly generation: MemoryGeneration<State, Tx> } | undefined
  #building = false
  #line: Promise<unknown> = Promise.resolve()

  constructor(options: MemoryViewStoreOptions<State, Tx>) {
    this.#options = options
    this.#live = new MemoryGeneration(options)
  }

  async prepare(): Promise<void> {}

  checkpoints(): Promise<Checkpoints> {
    return this.#live.checkpoints()
  }

  async apply(events: readonly Recorded[], view: Folding<Tx>): Promise<Checkpoint> {
    const checkpoint = await this.#alone(() => this.#live.apply(events, view))
    const partition = events[0]?.position.partition ?? 0
    for (const listener of this.#listeners) listener({ partition, checkpoint, applied: new Map() })
    return checkpoint
  }

  take({ partition, token }: Held): Promise<Checkpoint> {
    return this.#alone(async () => {
      this.#live.holders.set(partition, token)
      return this.#live.at(partition)
    })
  }

  async holds({ partition, token }: Held): Promise<boolean> {
    return this.#live.holders.get(partition) === token
  }

  async applyHeld(
    held: Held,
    events: readonly Recorded[],
    view: Folding<Tx>,
    reached: Checkpoint = nothingApplied,
  ): Promise<void> {
    const { partition } = held
    const checkpoint = await this.#alone(() => this.#live.applyHeld(held, events, view, reached))
    const applied = new Map(events.map(({ event, position }) => [position.seq, event.subject]))
    for (const listener of this.#listeners) listener({ partition, checkpoint, applied })
  }

  read<T>(query: (tx: Tx) => Promise<T>): Promise<T> {
    return query(this.#options.transaction(this.#live.state))
  }

  onMoved(listener: (moved: Moved) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async build(name: string, begin: 'empty' | 'copy'): Promise<Building<Tx>> {
    if (this.#building) throw new MillraceError('view.rebuilding')
    this.#building = true
    const resumed = this.#left?.name === name
    const left = this.#left && resumed ? this.#left : undefined
    const generation =
      left?.generation ?? new MemoryGeneration(this.#options, ...(begin === 'copy' ? [this.#live] : []))
    this.#left = { name, generation }
    return {
      resumed,
      checkpoints: () => generation.checkpoints(),
      apply: (events, view) => generation.apply(events, view),
      rewind: async (partition, to, undo) => {
        for (let more = true; more;)
          more = await generation.alone(async (tx) => {
            const left = (await undo(tx)) === 'more'
            if (!left && generation.at(partition).seq > to.seq) generation.stands.set(partition, to)
            return left
          })
      },
      swap: (missing, view) => this.#swap(generation, missing, view),
      close: async () => {
        this.#building = false
      },
    }
  }

  #swap(
    generation: MemoryGeneration<State, Tx>,
    missing: Parameters<Building<Tx>['swap']>[0],
    view: Folding<Tx>,
  ): Promise<void> {
    return this.#alone(async () => {
      for (const [partition, to] of this.#live.stands) {
        const from = generation.at(partition)
        if (from.seq < to.seq) await generation.apply(await missing(partition, from, to), view)
      }
      this.#live = generation
      this.#left = undefined
    })
  }

  /** Nobody applies anything to the live generation meanwhile, whichever that is by then. */
  #alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(act)
    this.#line = turn.catch(() => undefined)
    return turn
  }
}
