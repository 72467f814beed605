import type { Act } from '../act.ts'
import { MemberModel } from './member-model.ts'
import { meddle, meddleWithStart, meddleWithTurns } from './meddler.ts'
import { type Call, Process } from './network.ts'
import { demand } from '../story.ts'
import type { Harm } from '../simulated-server.ts'
import type { World } from './world.ts'

const keys = ['a', 'b', 'cc', 'dd'] as const
const stuck = 'guarantee 14, never stuck'

/** How much befalls the members of a simulation. */
export interface Fate {
  readonly members: number
  readonly events: number
  /** Steps during which things go wrong; after them everything has to come to its end. */
  readonly steps: number
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
  /** The harm that this seed has most of. */
  readonly #favourite: Harm | undefined

  constructor(world: World, fate: Fate) {
    this.#world = world
    this.#fate = fate
    this.#tempers = Array.from({ length: 24 }, () => world.random.temper())
    this.#favourite = world.random.pick(world.server.harms)
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
    for (let step = 0; step < this.#fate.steps; step++) {
      await this.#step()
      await this.#look()
    }
    await this.#comeToRest()
  }

  async #step(): Promise<void> {
    const { random, network } = this.#world
    const living = this.#processes.filter(({ alive }) => alive)
    const awake = living.filter(({ paused }) => !paused)
    const { sent, answered, waiting } = network
    const late = sent.filter(({ orphan, process }) => orphan || !process.alive)
    const prompt = sent.filter(({ orphan, process }) => !orphan && process.alive)
    const [lateness = 1, given = 1, dropped = 1, killed = 1, paused = 1, changed = 1, harmed = 1] =
      this.#tempers
    const act = random.weighted<() => Promise<void> | void>([
      [living.length < this.#fate.members ? 2 : 0, () => this.#start()],
      [prompt.length > 0 ? 12 : 0, () => this.#carryOut(random.pick(prompt))],
      [late.length > 0 ? lateness : 0, () => this.#carryOut(random.pick(late))],
      [answered.length > 0 ? 14 : 0, () => this.#deliver(random.pick(answered))],
      [waiting.length > 0 ? given : 0, () => this.#giveUp(random.pick(waiting))],
      [sent.length > 0 ? 0.3 * dropped : 0, () => this.#drop(random.pick(sent))],
      [awake.length > 0 ? 0.12 * killed : 0, () => this.#kill(random.pick(awake))],
      [awake.length > 0 ? 0.25 * paused : 0, () => this.#pause(random.pick(awake))],
      [
        living.length > awake.length ? 0.5 : 0,
        () => this.#resume(random.pick(living.filter(({ paused }) => paused))),
      ],
      [4, () => this.#passTime()],
      [this.#appended < this.#fate.events ? 1.5 : 0, () => this.#append(random.between(1, 3))],
      [this.#commits.length > 0 ? 30 * changed : 0, () => this.#meddle()],
      [this.#confirmations.length > 0 ? 10 * changed : 0, () => this.#meddleWithTurns()],
      [0.2, () => meddleWithStart(this.#world)],
      [this.#world.judge.lines.size > 0 ? 2 : 0, () => this.#mark()],
      [
        this.#writes.length > 0 && this.#world.server.harms.length > 0 ? 10 * harmed : 0,
        () => this.#harm(random.pick(this.#writes)),
      ],
    ])
    await act?.()
    await this.#settle()
  }

  /** What can be seen at any time must hold at any time. */
  async #look(): Promise<void> {
    this.#world.judge.audited(await this.#world.server.store.audit(this.#world.at))
  }

  /** From here on nothing goes wrong: everything that was begun comes to its end, and was done once. */
  async #comeToRest(): Promise<void> {
    const { world } = { world: this.#world }
    const { network, judge, random } = world
    world.calm = true
    world.story.tell('from here on nothing goes wrong')
    for (const process of this.#processes) process.paused = false
    for (const key of keys) await world.append(key, { do: 'allow' })
    for (let step = 0; !(await this.#atRest()); step++) {
      demand(step < 4_000, stuck, () => `it does not come to an end: ${JSON.stringify([...judge.places])}`)
      const { sent, answered } = network
      if (this.#processes.every(({ alive }) => !alive)) this.#start()
      const [call, answer] = [random.pick(sent), random.pick(answered)]
      if (answer && (!call || random.chance(0.5))) this.#deliver(answer)
      else if (call) await this.#carryOut(call)
      else this.#passTime()
      await this.#settle()
      if (step % 10 === 0) await this.#look()
    }
    await this.#look()
    await world.server.compare(world.at)
    await world.server.afterwards(world.at)
    for (const id of judge.effects.recorded)
      demand(world.performed.has(id), 'guarantee 5', () => `effect ${id} was confirmed and never carried out`)
  }

  async #atRest(): Promise<boolean> {
    const { judge, server, at } = this.#world
    for (const [seq, place] of judge.places)
      if (seq > judge.base && place !== 'done' && place !== 'dead') return false
    if (!judge.channels.allArrived) return false
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
    new MemberModel(process, this.#world).live().catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new TypeError(String(error))
    })
  }

  async #carryOut(call: Call | undefined): Promise<void> {
    if (!call) return
    await call.carryOut()
    this.#told(call)
    if (call.orphan || !call.process.alive) this.#world.network.remove(call)
  }

  #told({ process, request, outcome, orphan }: Call): void {
    const answer = outcome && 'value' in outcome ? short(outcome.value) : String(outcome?.error)
    this.#world.story.tell(`${process.name} ${request.what}${orphan ? ' (late)' : ''} → ${answer}`)
  }

  #deliver(call: Call | undefined): void {
    if (!call) return
    this.#world.network.remove(call)
    call.deliver()
  }

  /** The sender hears nothing; what was not carried out may be so later. */
  #giveUp(call: Call | undefined): void {
    if (!call) return
    this.#world.story.tell(`${call.process.name} hears nothing of ${call.request.what}`)
    call.giveUp()
    if (call.outcome) this.#world.network.remove(call)
  }

  #drop(call: Call | undefined): void {
    if (!call) return
    this.#world.network.remove(call)
    if (call.orphan || !call.process.alive) return
    this.#world.story.tell(`${call.request.what} of ${call.process.name} is lost`)
    call.giveUp()
  }

  #kill(process: Process | undefined): void {
    if (!process) return
    process.alive = false
    this.#world.story.tell(`${process.name} is killed`)
    for (const call of [...this.#world.network.waiting]) if (call.process === process) call.giveUp()
  }

  #pause(process: Process | undefined): void {
    if (!process) return
    process.paused = true
    this.#world.story.tell(`${process.name} falls asleep`)
  }

  #resume(process: Process | undefined): void {
    if (!process) return
    process.paused = false
    this.#world.story.tell(`${process.name} wakes up`)
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
      await this.#world.append(random.pick(keys) ?? 'a', this.#anyAct())
    }
  }

  #anyAct(): Act {
    const { random } = this.#world
    const [plain = 1, emit = 1, effect = 1, fail = 1, dead = 1, wait = 1, allow = 1, timer = 1] =
      this.#tempers.slice(7)
    const act = random.weighted<Act>([
      [3 * plain, { do: 'plain' }],
      [3 * emit, { do: 'emit' }],
      [3 * effect, { do: 'effect', id: `quote-${random.between(1, 25)}` }],
      [3 * fail, { do: 'fail', times: random.between(1, 3) }],
      [dead, { do: 'dead' }],
      [2 * wait, { do: 'wait' }],
      [0.5 * allow, { do: 'allow' }],
      [2.5 * timer, { do: 'timer', afterMs: random.between(0, 300) }],
    ])
    return act ?? { do: 'plain' }
  }

  /** A commit on its way is changed so that it is wrong: it must not be accepted. */
  async #meddle(): Promise<void> {
    const call = this.#world.random.pick(this.#commits)
    if (call) await meddle(this.#world, call)
  }

  /** Somebody marks a parked key as due, or one that was parked and is not any more. */
  async #mark(): Promise<void> {
    const { random, server, at, nowMs, story } = this.#world
    const { items } = await server.store.parked(at)
    const parked = random.pick(items)
    if (!parked) return
    const no = parked.no - (random.chance(0.2) ? 1 : 0)
    const by = random.chance(0.7) ? 'clock' : 'operator'
    const answer = await server.store.markDue(at, parked.key, no, by, nowMs)
    story.tell(`the ${by} marks ${parked.key} as due → ${answer}`)
  }

  async #meddleWithTurns(): Promise<void> {
    const call = this.#world.random.pick(this.#confirmations)
    if (call) await meddleWithTurns(this.#world, call)
  }

  get #confirmations(): readonly Call[] {
    return this.#world.network.sent.filter(({ request }) => request.what === 'confirm')
  }

  get #commits(): readonly Call[] {
    return this.#world.network.sent.filter(({ request }) => request.what.startsWith('commit'))
  }

  get #writes(): readonly Call[] {
    return this.#world.network.sent.filter(({ request }) =>
      /^(commit|confirm|acquire|forwarded)/.test(request.what),
    )
  }

  async #harm(call: Call | undefined): Promise<void> {
    if (!call) return
    const { what, content } = call.request
    const { random, server } = this.#world
    const fitting = server.harms.filter((one) => one.concerns(what, content))
    const favourite = fitting.find((one) => one === this.#favourite && random.chance(0.8))
    const harm = favourite ?? random.pick(fitting)
    if (!harm) return
    this.#world.story.tell(harm.name)
    await harm.during(this.#world.at, () => this.#carryOut(call))
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}
