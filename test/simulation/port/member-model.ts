import { MillraceError } from '@millrace/event'
import type { Lease } from '@millrace/processor'
import type { Process } from './network.ts'
import { Tenure } from './tenure.ts'
import type { World } from './world.ts'

/**
 * A member as the store must be able to bear it: it takes the lease, reads, handles, commits, forwards, carries out
 * effects, renews, lets go. It believes in its lease until the store says otherwise, however long it has slept.
 */
export class MemberModel {
  readonly #process: Process
  readonly #world: World

  constructor(process: Process, world: World) {
    this.#process = process
    this.#world = world
  }

  /** Lives until its process is gone. */
  async live(): Promise<never> {
    for (;;) {
      try {
        const lease = await this.#acquire()
        if (lease) await new Tenure(this.#process, this.#world, lease).work()
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        this.#world.story.tell(`${this.#process.name} ends its tenure: ${error.code} ${error.message}`)
      }
      await this.#process.sleep(this.#world.random.between(50, 400))
    }
  }

  #acquire(): Promise<Lease | undefined> {
    const { store, at, leaseMs, start } = this.#world
    const { name } = this.#process
    return this.#process.call('acquire', () => store.acquire(at, name, leaseMs, start), 'commit.unknown', {
      member: name,
    })
  }
}
