import { Process } from '../port/network.ts'
import type { World } from '../port/world.ts'
import { ReplayModel } from './replay-model.ts'

/** Those who replay the group of a simulation: several at a time, each believing that it is alone. */
export class Replayers {
  readonly processes: Process[] = []
  readonly #world: World
  readonly #failed: (error: unknown) => void

  /** @param failed Hears what nobody has planned. */
  constructor(world: World, failed: (error: unknown) => void) {
    this.#world = world
    this.#failed = failed
  }

  get living(): readonly Process[] {
    return this.processes.filter(({ alive }) => alive)
  }

  start(): void {
    const { network, story } = this.#world
    const process = new Process(`r${this.processes.length + 1}`, network)
    this.processes.push(process)
    story.tell(`${process.name} starts`)
    new ReplayModel(process, this.#world).live().then(() => {
      process.alive = false
    }, this.#failed)
  }

  /** Gives up what is half done; nothing may be left of it then. */
  async cleanUp(): Promise<void> {
    const { server, at, leaseMs, generations } = this.#world
    const { generation } = await server.store.look(at)
    // A lease that somebody has asked for long ago may be of any number.
    for (let number = 1; number <= generation + 1; number++) {
      const built = { ...at, generation: number }
      while ((await this.#world.store.dropGeneration(built)) === 'held') this.#world.passTime(leaseMs)
    }
    generations.over(generation)
  }
}
