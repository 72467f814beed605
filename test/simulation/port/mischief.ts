import type { Commit } from '@millrace/processor'
import { meddleWithGeneration } from '../replay/wrong-switches.ts'
import type { Harm } from '../simulated-server.ts'
import { isRefused } from './hazards.ts'
import { meddle, meddleWithTurns } from './meddler.ts'
import type { Call } from './network.ts'
import type { World } from './world.ts'

const writes = /^(commit|confirm|acquire$|forwarded|rule|settleWithheld|keepMigration|dropStates|setShadow)/
/** Of these a seed has few. */
const seldom = /^(freeze|switch|dropGeneration)$/

/** What befalls calls on their way, beside being late or lost: copies that are wrong, and a server that is spoilt. */
export class Mischief {
  readonly #world: World
  /** The harm that this seed has most of. */
  readonly #favourite: Harm | undefined
  /** How often each harm was done. */
  readonly #done = new Map<Harm, number>()
  #orders = 0
  /** What a call has met. */
  readonly #met = new WeakMap<Call, Set<Harm>>()

  constructor(world: World) {
    this.#world = world
    this.#favourite = world.random.pick(world.server.harms.filter(({ rare }) => !rare))
  }

  get confirmations(): readonly Call[] {
    return this.#world.network.sent.filter(({ request }) => request.what === 'confirm')
  }

  /** What befalls a call that is about to be carried out. @param changed, harmed How much of each a seed has. */
  async befall(call: Call, changed: number, harmed: number): Promise<void> {
    const { random, calm } = this.#world
    if (calm || call.outcome) return
    if (seldom.test(call.request.what)) {
      for (let left = 3; left > 0 && random.chance(0.6); left--) await meddleWithGeneration(this.#world, call)
      if (random.chance(0.8)) await this.#harm(call)
    }
    if (!writes.test(call.request.what)) return
    // A commit that is changed so that it is wrong must not be accepted.
    if (call.request.what.startsWith('commit'))
      for (let left = 3; left > 0 && random.chance(0.4 * changed); left--) await meddle(this.#world, call)
    if (call.request.what.startsWith('commit') && random.chance(0.15)) await this.#overtake(call)
    if (random.chance(0.4 * harmed)) await this.#harm(call)
  }

  /** At the last moment before a commit an operator decides about an event that it has tried. */
  async #overtake(call: Call): Promise<void> {
    const { random, store, at, judge, story } = this.#world
    const { heeded = [], parks = [] } = call.request.content as Commit
    const tried = [...heeded.map(({ seq }) => seq), ...parks.map(({ head }) => head)]
    const asking = judge.askings.get(random.pick(tried) ?? 0)
    if (!asking) return
    this.#orders += 1
    const kind = random.chance(0.5) ? 'ignored' : 'requeued'
    const order = { id: `last-${this.#orders}`, kind, by: 'ada', reason: 'at the last moment' } as const
    const { status } = await store.rule(at, { ...order, seq: asking.seq, key: asking.key })
    story.tell(`at the last moment event ${asking.seq} is ${kind} → ${status}`)
  }

  async meddleWithTurns(): Promise<void> {
    const call = this.#world.random.pick(this.confirmations)
    if (call) await meddleWithTurns(this.#world, call)
  }

  /** Somebody marks a parked key as due, or one that was parked and is not any more. */
  async mark(): Promise<void> {
    const { random, server, at, nowMs, story } = this.#world
    const { items } = await server.store.parked(at)
    const parked = random.pick(items)
    if (!parked) return
    const no = parked.no - (random.chance(0.2) ? 1 : 0)
    const by = random.chance(0.7) ? 'clock' : 'operator'
    const answer = await server.store.markDue(at, parked.key, no, by, nowMs)
    story.tell(`the ${by} marks ${parked.key} as due → ${answer}`)
  }

  /**
   * Lets a call meet a spoilt server, in one way after the other, until it is carried out in spite of it: what was met
   * least comes first. Who is refused is mostly spared to hear it, so that much can be tried with one call.
   */
  async #harm(call: Call): Promise<void> {
    for (let left = this.#world.random.between(1, 8); left > 0 && !call.outcome; left--) {
      const harm = this.#choose(this.#fitting(call))
      if (!harm) return
      this.#met.set(call, (this.#met.get(call) ?? new Set()).add(harm))
      this.#done.set(harm, (this.#done.get(harm) ?? 0) + 1)
      this.#world.story.tell(harm.name)
      await harm.during(this.#world.at, () => this.#attempt(call), call.request.content)
    }
  }

  /** Harms that a call can meet and has not met yet. */
  #fitting(call: Call): readonly Harm[] {
    const { what, content } = call.request
    const met = this.#met.get(call)
    return this.#world.server.harms.filter((one) => !met?.has(one) && one.concerns(what, content))
  }

  #choose(fitting: readonly Harm[]): Harm | undefined {
    const { random } = this.#world
    const favourite = fitting.find((one) => one === this.#favourite && random.chance(0.5))
    const least = Math.min(...fitting.map((one) => this.#done.get(one) ?? 0))
    return favourite ?? random.pick(fitting.filter((one) => (this.#done.get(one) ?? 0) === least))
  }

  async #attempt(call: Call): Promise<void> {
    await call.carryOut()
    if (isRefused(call) && this.#world.random.chance(0.9)) call.outcome = undefined
  }
}
