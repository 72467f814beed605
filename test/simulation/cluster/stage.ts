import { partitionOfKey } from '@millrace/event'
import { Seeded } from '../seeded.ts'
import { demand } from '../story.ts'
import { eventsIn } from '../target-log.ts'
import { type Cluster, leaseMs } from './cluster.ts'
import { Member } from './member.ts'
import { decide } from './operator.ts'
import { type Disturbance, type Item, keys, type Strike } from './plan.ts'
import { type Origin, target } from './system.ts'
import { answerOf, isTold, told } from './telling.ts'
import { type Call, Node } from './wire.ts'

const stuck = 'guarantee 14, never stuck'
/** Steps within which everything has to come to its end when nothing goes wrong any more. */
const calmSteps = 20_000

/** Plays a plan: decides step by step which call is carried out, which answer comes and how time passes. */
export class Stage {
  readonly #cluster: Cluster
  readonly #members: Member[] = []
  #failure: Error | undefined
  #steps = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  get steps(): number {
    return this.#steps
  }

  /** @throws Violation */
  async play(): Promise<void> {
    const { items, steps } = this.#cluster.plan
    let next = 0
    for (let step = 0; step <= steps; step++) {
      for (let item = items[next]; item && item.step <= step; item = items[++next]) await this.#befall(item)
      await this.#step()
      if (step % 8 === 0) await this.#look()
    }
    await this.#comeToRest()
  }

  async #befall(item: Item): Promise<void> {
    const { cluster } = { cluster: this.#cluster }
    const { story, wire } = cluster
    switch (item.kind) {
      case 'event':
        await cluster.append(item.key, item.act)
        return
      case 'order':
        await decide(cluster, item.order)
        return
      case 'start':
        if (this.#living.length < 4) this.#start()
        return
      case 'jump':
        story.tell(`${item.ms} ms pass at once`)
        cluster.passTime(item.ms)
        return
      case 'kill':
      case 'stop':
      case 'sleep':
      case 'cut': {
        const member = pick(this.#living, item.which)
        if (member) this.#strike(member, item)
        return
      }
      case 'late':
      case 'lose':
      case 'mute':
      case 'twice': {
        const all = [...wire.calls].filter(({ orphan, node, outcome }) => !orphan && node.alive && !outcome)
        const writes = all.filter(({ request }) => request.lost !== 'log.unavailable')
        const call = pick(item.of === 'writes' && writes.length > 0 ? writes : all, item.which)
        if (call) await this.#disturb(call, item)
      }
    }
  }

  #strike(member: Member, item: Strike): void {
    const { node } = member
    const { story, wire } = this.#cluster
    switch (item.kind) {
      case 'kill':
        story.tell(`${node.name} is killed`)
        node.alive = false
        return
      case 'stop':
        story.tell(`${node.name} is told to stop`)
        if (!member.stopping) member.stop((error) => this.#failed(error))
        return
      case 'sleep':
        story.tell(`${node.name} sleeps for ${item.forMs} ms`)
        node.asleep = true
        wire.alarm(undefined, item.forMs, () => {
          node.asleep = false
        })
        return
      case 'cut':
        story.tell(`${node.name} loses its connections`)
        for (const call of [...wire.calls]) if (call.node === node && !call.orphan) this.#lose(call)
    }
  }

  async #disturb(call: Call, item: Disturbance): Promise<void> {
    const { story, wire } = this.#cluster
    const what = `${call.request.what} of ${call.node.name}`
    switch (item.kind) {
      case 'late':
        story.tell(`${what} is on its way for another ${item.byMs} ms, and nobody waits for it any more`)
        call.notBeforeMs = wire.nowMs + item.byMs
        call.giveUp()
        return
      case 'lose':
        story.tell(`${what} is lost`)
        this.#lose(call)
        return
      case 'mute':
        story.tell(`the answer to ${what} will be lost`)
        call.mute = true
        return
      case 'twice':
        story.tell(`${what} arrives twice`)
        await this.#carryOut(call)
        if (call.outcome) await this.#carryOut(call)
    }
  }

  #lose(call: Call): void {
    this.#cluster.wire.calls.delete(call)
    call.giveUp()
  }

  /** One thing happens: a call is carried out, an answer comes, somebody's time has come, or time passes. */
  async #step(): Promise<void> {
    const { wire, plan } = this.#cluster
    const dice = new Seeded(Math.imul(plan.seed, 0x9e3779b1) ^ Math.imul(this.#steps, 0x85ebca6b))
    this.#steps += 1
    const ready = wire.ready()
    const answered = wire.answered()
    const ringing = wire.ringing()
    const count = ready.length + answered.length + ringing.length
    if (count === 0 || dice.chance(0.08)) this.#passTime(dice)
    else {
      const at = dice.between(0, count - 1)
      const call = ready[at]
      const answer = answered[at - ready.length]
      const alarm = ringing[at - ready.length - answered.length]
      if (call) await this.#carryOut(call)
      else if (answer) this.#deliver(answer)
      else if (alarm) wire.ring(alarm)
    }
    await this.#settle()
  }

  #passTime(dice: Seeded): void {
    const { wire } = this.#cluster
    const next = wire.nextMs
    const toNext = next === undefined ? leaseMs : Math.max(1, next - wire.nowMs)
    this.#cluster.passTime(dice.chance(0.5) ? dice.between(1, 5) : Math.min(toNext, 200))
  }

  async #carryOut(call: Call): Promise<void> {
    const { wire, story } = this.#cluster
    const { request, node, orphan } = call
    try {
      await call.carryOut()
    } catch (error) {
      story.tell(() => `${node.name} ${told(call)} breaks the promise`)
      throw error
    }
    const { waits } = request
    if (
      waits &&
      call.outcome &&
      isEmpty(call.outcome) &&
      wire.nowMs < waits.untilMs &&
      node.alive &&
      !orphan
    ) {
      call.seen = wire.events
      call.outcome = undefined
      return
    }
    const { outcome } = call
    if (isTold(request.what))
      story.tell(() => `${node.name} ${told(call)}${orphan ? ' (late)' : ''} → ${answerOf(outcome)}`)
    if (orphan || !node.alive) wire.calls.delete(call)
  }

  #deliver(call: Call): void {
    this.#cluster.wire.calls.delete(call)
    call.deliver()
  }

  /** Lets everybody go on as far as he can, and hears whether somebody came upon a violation. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#failure !== undefined) throw this.#failure
    if (this.#cluster.violation) throw this.#cluster.violation
  }

  /** What can be seen at any time must hold at any time. */
  async #look(): Promise<void> {
    const { server, judges } = this.#cluster
    for (const [partition, judge] of judges.entries())
      judge.audited(await server.store.audit(this.#cluster.at(partition)))
  }

  /** From here on nothing goes wrong: everything that was begun comes to its end, and was done once. */
  async #comeToRest(): Promise<void> {
    const { cluster } = { cluster: this.#cluster }
    const { story, judges, performed, server } = cluster
    cluster.calm = true
    story.tell('from here on nothing goes wrong')
    for (const { node } of this.#members) node.asleep = false
    if (this.#living.every(({ stopping }) => stopping)) this.#start()
    for (const key of keys) await cluster.append(key, { do: 'allow' })
    for (let step = 0; step === 0 || !(await this.#atRest()); step += 1) {
      demand(step < calmSteps / 20, stuck, () => `it does not come to an end: ${this.#left()}`)
      for (let at = 0; at < 20; at++) await this.#step()
    }
    await this.#look()
    for (const { effects } of judges)
      for (const id of effects.tried)
        demand(performed.has(id), 'guarantee 5', () => `effect ${id} was settled and never carried out`)
    for (const partition of judges.keys()) await server.compare(cluster.at(partition))
    await this.#readTarget()
    for (const { node } of this.#members) node.alive = false
  }

  /** The target holds what each partition has emitted, and nothing else. */
  async #readTarget(): Promise<void> {
    const { cluster } = { cluster: this.#cluster }
    for (let to = 0; to < target.partitions; to++) {
      const events = await eventsIn(cluster.server.log, target, to)
      const from = Map.groupBy(events, ({ data }) => partitionOfKey(cluster.source, (data as Origin).key))
      for (const [partition, { channels }] of cluster.judges.entries())
        channels.read(to, from.get(partition)?.map(({ id }) => id) ?? [])
    }
  }

  async #atRest(): Promise<boolean> {
    const { judges, server } = this.#cluster
    for (const [partition, judge] of judges.entries()) {
      for (const [seq, place] of judge.places)
        if (seq > judge.base && place !== 'done' && place !== 'dead') return false
      if (!judge.channels.allArrived) return false
      const { counters, structures } = await server.store.audit(this.#cluster.at(partition))
      const { pending, parked } = counters.effects
      if (pending + parked + structures.timers + structures.outbox > 0) return false
    }
    return true
  }

  #left(): string {
    return this.#cluster.judges
      .flatMap(({ places }, partition) =>
        [...places]
          .filter(([, place]) => place !== 'done' && place !== 'dead')
          .map(([seq, place]) => `${partition}/${seq} ${place}`),
      )
      .join(', ')
  }

  #start(): void {
    const { wire, plan, story } = this.#cluster
    const name = `m${this.#members.length + 1}`
    const node = new Node(name, wire, plan.seed * 100 + this.#members.length)
    const member = new Member(node, this.#cluster)
    this.#members.push(member)
    story.tell(`${name} starts`)
    member.start((error) => this.#failed(error))
  }

  #failed(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new TypeError(String(error))
  }

  get #living(): readonly Member[] {
    return this.#members.filter(({ node }) => node.alive)
  }
}

function pick<T>(all: readonly T[], which: number): T | undefined {
  return all[which % all.length]
}

function isEmpty(outcome: NonNullable<Call['outcome']>): boolean {
  return 'value' in outcome && outcome.value instanceof Map && outcome.value.size === 0
}
