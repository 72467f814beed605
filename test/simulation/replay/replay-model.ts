import { MillraceError } from '@millrace/event'
import type { GroupPartition } from '@millrace/processor'
import type { Process } from '../port/network.ts'
import type { World } from '../port/world.ts'
import { Rebuild } from './rebuild.ts'

/** A place of a generation that is built. */
export type BuiltAt = GroupPartition & { readonly generation: number }

/**
 * Somebody who replays beside the live generation, as the store must be able to bear it: goes on with what another one
 * has left, freezes, switches, gives up, drops; believes what it has read, however long it has slept since.
 */
export class ReplayModel {
  readonly #process: Process
  readonly #world: World
  #runs = 0

  constructor(process: Process, world: World) {
    this.#process = process
    this.#world = world
  }

  /** Lives until nothing goes wrong any more, or its process is gone. */
  async live(): Promise<void> {
    const { random } = this.#world
    while (!this.#world.calm) {
      await this.#process.sleep(random.between(5, 80))
      try {
        if (random.chance(0.15)) await this.#drop()
        else await this.#replay()
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        this.#world.story.tell(`${this.#process.name} ends its replay: ${error.code} ${error.message}`)
      }
    }
  }

  async #replay(): Promise<void> {
    const { store, at, leaseMs } = this.#world
    const { n, start, generation } = await this.#look()
    // A group that has not begun may still begin anywhere.
    if (n === 0) return
    const built: BuiltAt = { ...at, generation: generation + 1 }
    this.#runs += 1
    const member = `${this.#process.name}-${this.#runs}`
    const lease = await this.#process.call(
      `acquire generation ${built.generation}`,
      () => store.acquire(built, member, leaseMs, start),
      'commit.unknown',
    )
    if (lease) await new Rebuild(this.#process, this.#world, { at: built, member, lease }).work()
  }

  /** Whether anybody works on it, the store has to know. */
  async #drop(): Promise<void> {
    const { store, at, random } = this.#world
    const { generation } = await this.#look()
    const built = { ...at, generation: generation + 1 }
    for (let times = random.between(1, 2); times > 0; times--)
      await this.#process.call('dropGeneration', () => store.dropGeneration(built), 'commit.unknown', built)
  }

  #look() {
    const { store, at } = this.#world
    return this.#process.call('look', () => store.look(at), 'log.unavailable')
  }
}
