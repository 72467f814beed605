import type { Building, FreezeResult } from '@millrace/processor'
import { keys } from '../port/key-names.ts'
import type { Rebuild } from './rebuild.ts'

type Frozen = Extract<FreezeResult, { status: 'frozen' }>['lease']

/** The live partition in the hand of a replay: from the freeze to the switch, or to where it gives up. */
export class Takeover {
  readonly #rebuild: Rebuild

  constructor(rebuild: Rebuild) {
    this.#rebuild = rebuild
  }

  async work(): Promise<void> {
    const { random } = this.#rebuild.world
    const frozen = await this.#freeze()
    if (!frozen) return
    const { position, ahead } = frozen
    const sameAhead = ahead.join() === this.#rebuild.ahead.join()
    const isApart = position.seq !== this.#rebuild.position.seq || !sameAhead
    // Too early.
    if (isApart && random.chance(sameAhead ? 0.7 : 0.2)) await this.#switch(frozen)
    if (this.#rebuild.over) return
    const inTwo = ahead.length > 0 && random.chance(0.4)
    const known = this.#rebuild.ahead.filter((seq) => seq > position.seq)
    await this.#rebuild.take(keys, position, inTwo ? known : ahead)
    if (inTwo && known.length < ahead.length && random.chance(0.5)) await this.#switch(frozen)
    if (inTwo && !this.#rebuild.over) await this.#rebuild.take(keys, position, ahead)
    if (random.chance(0.75) && !this.#rebuild.over) await this.#rebuild.fireDue()
    if (random.chance(0.2)) await this.#rebuild.process.sleep(random.between(1, 1_500))
    if (this.#rebuild.over) return
    if (random.chance(0.85)) await this.#switch(frozen)
    if (!this.#rebuild.over) await this.#letGo(frozen)
  }

  async #freeze(): Promise<Frozen | undefined> {
    const { world, member } = this.#rebuild
    const { random, store, at, leaseMs } = world
    const building = this.#building
    const request = { member, leaseMs, most: random.pick([0, 3, 1_000]) ?? 0 }
    const freeze = () => store.freeze(at, building, request)
    const result = await this.#rebuild.insist('freeze', freeze, { building, request })
    if (result.status === 'fenced') this.#rebuild.over = true
    return result.status === 'frozen' ? result.lease : undefined
  }

  /** Sent again it says what became of it. */
  async #switch(frozen: Frozen): Promise<void> {
    const { store, at, random } = this.#rebuild.world
    const building = this.#building
    const lease = { token: frozen.token, n: frozen.n }
    const change = () => store.switchGeneration(at, lease, building)
    const { status } = await this.#rebuild.insist('switch', change, { lease, building })
    if (status === 'apart') return
    this.#rebuild.over = true
    if (status === 'switched' && random.chance(0.3))
      await this.#rebuild.insist('switch', change, { lease, building })
  }

  /** It is given up: the live generation goes on, and what was fired for it nobody can use. */
  async #letGo({ token }: Frozen): Promise<void> {
    const { world, at, process } = this.#rebuild
    this.#rebuild.over = true
    await process.call('release', () => world.store.release(world.at, token), 'commit.unknown')
    await process.call('release', () => world.store.release(at, this.#rebuild.token), 'commit.unknown')
  }

  get #building(): Building {
    const { at, token, n } = this.#rebuild
    return { generation: at.generation, token, n }
  }
}
