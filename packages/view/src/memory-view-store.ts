import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { type Checkpoint, type Checkpoints, newTo, nothingApplied } from './checkpoint.ts'
import type { Building, Fold, Generation, ViewStore } from './view-store.ts'

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

  apply(events: readonly Recorded[], fold: Fold<Tx>): Promise<Checkpoint> {
    const partition = events[0]?.position.partition ?? 0
    return this.alone(async (tx) => {
      for (const recorded of newTo(this.at(partition), events)) {
        await fold(tx, recorded)
        this.stands.set(partition, { id: recorded.position.id, seq: recorded.position.seq })
      }
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
  readonly #listeners = new Set<(partition: number, checkpoint: Checkpoint) => void>()
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

  async apply(events: readonly Recorded[], fold: Fold<Tx>): Promise<Checkpoint> {
    const checkpoint = await this.#alone(() => this.#live.apply(events, fold))
    const partition = events[0]?.position.partition ?? 0
    for (const listener of this.#listeners) listener(partition, checkpoint)
    return checkpoint
  }

  read<T>(query: (tx: Tx) => Promise<T>): Promise<T> {
    return query(this.#options.transaction(this.#live.state))
  }

  onMoved(listener: (partition: number, checkpoint: Checkpoint) => void): () => void {
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
      apply: (events, fold) => generation.apply(events, fold),
      rewind: async (partition, to, undo) => {
        for (let more = generation.at(partition).seq > to.seq; more;)
          more = await generation.alone(async (tx) => {
            const left = (await undo(tx)) === 'more'
            if (!left) generation.stands.set(partition, to)
            return left
          })
      },
      swap: (missing, fold) => this.#swap(generation, missing, fold),
      close: async () => {
        this.#building = false
      },
    }
  }

  #swap(
    generation: MemoryGeneration<State, Tx>,
    missing: Parameters<Building<Tx>['swap']>[0],
    fold: Fold<Tx>,
  ): Promise<void> {
    return this.#alone(async () => {
      for (const [partition, to] of this.#live.stands) {
        const from = generation.at(partition)
        if (from.seq < to.seq) await generation.apply(await missing(partition, from, to), fold)
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
