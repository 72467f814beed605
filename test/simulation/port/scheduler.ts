import { demand } from '../story.ts'
import { eventsIn } from '../target-log.ts'
import { Asked } from './asked.ts'
import { Hazards, hazardsOf } from './hazards.ts'
import { meddleWithStart } from './meddler.ts'
import { MemberModel } from './member-model.ts'
import { Mischief } from './mischief.ts'
import { type Call, Process } from './network.ts'
import { OperatorModel } from './operator-model.ts'
import { keys } from './key-names.ts'
import type { World } from './world.ts'
import { Replayers } from '../replay/replayers.ts'

const stuck = 'guarantee 14, never stuck'
/** After so many steps that have changed something all that is stored is read. */
const closely = 12
/** Steps in which everything has to come to its end; the slowest of thousands of seeds took five thousand. */
const mostSteps = 12_000

/** How much befalls the members of a simulation. */
export interface Fate {
  readonly members: number
  readonly events: number
  /** Steps during which things go wrong; after them everything has to come to its end. */
  readonly steps: number
  /** How many replay the group at the same time; 0: nobody ever does. */
  readonly replayers: number
}

/** Decides what happens next, one thing at a time, and plays the world with its members. */
export class Scheduler {
  readonly #world: World
  readonly #fate: Fate
  readonly #processes: Process[] = []
  #started = 0
  #appended = 0
  #failure: Error | undefined
  readonly #tempers: readonly number[]
  readonly #asked: Asked
  readonly #mischief: Mischief
  readonly #hazards: Hazards
  readonly #replayers: Replayers
  /** The operator has something under way, or will have. */
  #operating = false
  /** Something was carried out since the last look. */
  #changed = true
  #looks = 0

  constructor(world: World, fate: Fate) {
    this.#world = world
    this.#fate = fate
    this.#tempers = Array.from({ length: 7 }, () => world.random.temper())
    this.#asked = new Asked(world.random, world.forOperators)
    this.#mischief = new Mischief(world)
    this.#hazards = new Hazards(world)
    this.#replayers = new Replayers(world, (error) => this.#failed(error))
  }

  /** @throws Violation */
  async play(): Promise<void> {
    const { world } = { world: this.#world }
    await this.#append(3)
    if (world.random.chance(0.3)) {
      const asking = world.judge.askings.get(world.random.between(1, 3))
      world.start = asking && { id: asking.id, seq: asking.seq }
      world.story.tell(`the group begins behind event ${asking?.seq}`)
    }
    if (world.random.chance(0.8)) this.#call()
    for (let step = 0; step < this.#fate.steps; step++) {
      await this.#step()
      await this.#look()
    }
    await this.#comeToRest()
  }

  async #step(): Promise<void> {
    const { random, network } = this.#world
    const mischief = this.#mischief
    const members = this.#processes.filter(({ alive }) => alive)
    const replayers = this.#replayers.living
    const living = [...members, ...replayers]
    const { sent, answered } = network
    const late = sent.filter(({ orphan, process }) => orphan || !process.alive)
    const prompt = sent.filter(({ orphan, process }) => !orphan && process.alive)
    const [lateness = 1, ...fates] = this.#tempers
    const changed = this.#tempers[5] ?? 1
    const act = random.weighted<() => Promise<void> | void>([
      [members.length < this.#fate.members ? 2 : 0, () => this.#start()],
      [prompt.length > 0 ? 12 : 0, () => this.#carryOut(random.pick(prompt))],
      [late.length > 0 ? lateness : 0, () => this.#carryOut(random.pick(late))],
      [answered.length > 0 ? 14 : 0, () => this.#hazards.deliver(random.pick(answered))],
      ...hazardsOf(this.#hazards, this.#world, living, fates),
      [sent.length + answered.length > 0 ? 3 : 15, () => this.#passTime()],
      [this.#appended < this.#fate.events ? 2.5 : 0, () => this.#append(random.between(1, 3))],
      [mischief.confirmations.length > 0 ? 10 * changed : 0, () => mischief.meddleWithTurns()],
      [0.2, () => meddleWithStart(this.#world)],
      [this.#world.judge.lines.size > 0 ? 2 : 0, () => mischief.mark()],
      [replayers.length < this.#fate.replayers ? 1 : 0, () => this.#replayers.start()],
    ])
    await act?.()
    await this.#settle()
  }

  /** What can be seen at any time must hold at any time. */
  async #look(): Promise<void> {
    if (!this.#changed) return
    this.#changed = false
    this.#looks += 1
    await this.#world.audit()
    if (this.#looks % closely === 0) await this.#lookClosely()
  }

  /** All that is stored is what the judge and a twin have seen come about. */
  async #lookClosely(): Promise<void> {
    const { judge, generations, server, at } = this.#world
    judge.facts.read(await server.stories.facts(at, [...judge.askings.keys()]))
    judge.rulings.read(await server.store.rulings(at, judge.rulings.seqs))
    judge.shadow.read(await server.store.shadow(at))
    for (const generation of [0, ...generations.begun]) await server.compare({ ...at, generation })
  }

  /** From here on nothing goes wrong: everything that was begun comes to its end, and was done once. */
  async #comeToRest(): Promise<void> {
    const { world } = { world: this.#world }
    const { network, judge, random } = world
    world.calm = true
    world.story.tell('from here on nothing goes wrong')
    for (const process of [...this.#processes, ...this.#replayers.processes]) process.paused = false
    let allowed = false
    for (let step = 0; !allowed || !(await this.#atRest()); step++) {
      demand(
        step < mostSteps,
        stuck,
        () => `it does not come to an end: ${JSON.stringify([...judge.places])}`,
      )
      // Behind the operator's last word: he could decide that what sets the deferred events free is ignored.
      if (!allowed && !this.#operating) {
        for (const key of keys) await world.append(key, { do: 'allow' })
        allowed = true
      }
      const { sent, answered } = network
      if (this.#processes.every(({ alive }) => !alive)) this.#start()
      const [call, answer] = [random.pick(sent), random.pick(answered)]
      if (answer && (!call || random.chance(0.5))) this.#hazards.deliver(answer)
      else if (call) await this.#carryOut(call)
      else this.#passTime()
      await this.#settle()
      if (step % 10 === 0) await this.#look()
    }
    await this.#look()
    await this.#lookClosely()
    for (let partition = 0; partition < world.target.partitions; partition++) {
      const events = await eventsIn(world.log, world.target, partition)
      judge.channels.read(
        partition,
        events.map(({ id }) => id),
      )
    }
    if (this.#fate.replayers > 0) await this.#replayers.cleanUp()
    await world.server.afterwards(world.at)
    for (const id of judge.effects.tried)
      demand(world.performed.has(id), 'guarantee 5', () => `effect ${id} was settled and never carried out`)
  }

  async #atRest(): Promise<boolean> {
    const { judge, server, at } = this.#world
    for (const [seq, place] of judge.places)
      if (seq > judge.base && place !== 'done' && place !== 'dead') return false
    if (!judge.channels.allArrived || this.#replayers.living.length > 0) return false
    const { counters, structures } = await server.store.audit(at)
    const { pending, parked, dead } = counters.effects
    return pending + parked + dead + structures.timers + structures.outbox === 0
  }

  /** Lets everybody go on as far as he can, and hears whether somebody came upon a violation. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#failure !== undefined) throw this.#failure
  }

  #start(): void {
    this.#started += 1
    const process = new Process(`m${this.#started}`, this.#world.network)
    this.#processes.push(process)
    this.#world.story.tell(`${process.name} starts`)
    new MemberModel(process, this.#world).live().catch((error: unknown) => this.#failed(error))
  }

  /** Somebody begins to look after what cannot be processed. */
  #call(): void {
    const process = new Process('the operator', this.#world.network)
    this.#operating = true
    new OperatorModel(process, this.#world, this.#asked).live().then(
      () => {
        this.#operating = false
      },
      (error: unknown) => this.#failed(error),
    )
  }

  #failed(error: unknown): void {
    this.#failure = error instanceof Error ? error : new TypeError(String(error))
  }

  async #carryOut(call: Call | undefined): Promise<void> {
    if (!call) return
    const [changed = 1, harmed = 1] = this.#tempers.slice(5)
    await this.#mischief.befall(call, changed, harmed)
    if (!call.outcome) await call.carryOut()
    this.#changed = true
    this.#hazards.told(call)
    if (call.orphan || !call.process.alive) this.#world.network.remove(call)
    else if (!call.process.paused && this.#world.random.chance(isRead(call) ? 0.9 : 0.4))
      this.#hazards.deliver(call)
  }

  /** Somebody's time comes, or time passes: to the next alarm, a little, or beyond a lease. */
  #passTime(): void {
    const { random, network, leaseMs } = this.#world
    if (network.ring()) return
    const next = network.nextAlarmMs
    const most = random.chance(0.15) ? leaseMs * 2 : 100
    this.#world.passTime(next === undefined ? most : Math.min(most, Math.max(1, next - network.nowMs)))
  }

  async #append(count: number): Promise<void> {
    const { random } = this.#world
    for (let left = count; left > 0; left--) {
      this.#appended += 1
      this.#changed = true
      await this.#world.append(random.pick(keys) ?? 'a', this.#asked.any())
    }
  }
}

/** Nothing that matters can happen between a read and its answer that cannot happen before it. */
function isRead({ request }: Call): boolean {
  return request.unknown === 'log.unavailable'
}
