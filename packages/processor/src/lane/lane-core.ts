import { type Clock, scopesKept, workTraced } from '@millrace/event'
import type { KeyRecord } from '../model/key-record.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Processor } from '../model/processor.ts'
import { now, Place } from './current.ts'
import type { Delivery } from './delivery.ts'
import { beginSpan, tellAttempt } from './delivery-trace.ts'
import { DurableOperators } from './durable-operators.ts'
import { goOnInScope, handleInScope } from './in-scope.ts'
import type { Lane, LaneHooks, LaneOptions } from './lane.ts'
import { Line } from './line.ts'
import { Batch, type Load } from './load.ts'
import { Memory } from './memory.ts'
import { abandoned, endedIdle, unheld } from './pipeline-fault.ts'
import type { Stage } from './stage.ts'
import type { Timers } from './timers.ts'

const nobody: readonly Delivery[] = []

/** What operators and stages see of their lane, beside what its owner sees. See docs/pipelines.md. */
export class LaneCore implements Lane {
  // What each event looks at comes first: members have many lanes, and each piece of one is fetched from memory anew.
  // open ─▶ ending (the pipeline completed) ─▶ over ◀─ failing ◀─ open, ending; over by close() from each
  #phase: 'open' | 'ending' | 'failing' | 'over' = 'open'
  /** Values on their way now. Only when there are none is anything told to the owner. */
  #depth = 1
  #places = 0
  /** Made with the first delivery that is not settled at once: most lanes never need one. */
  #line: Line | undefined
  readonly #stage: Stage
  readonly #hooks: LaneHooks
  readonly memory: Memory
  /** Where operators stand that are in no inner stream. */
  readonly trunk: Place = new Place(this)
  readonly processor: Processor
  #settledAny = false
  /** The first delivery that came when the pipeline did not listen any more. */
  #unheard: Delivery | undefined
  readonly clock: Clock
  readonly key: string
  readonly timers: Timers
  #durable: DurableOperators | undefined
  #failure: { readonly delivery: Delivery | undefined; readonly error: unknown } | undefined

  constructor(processor: Processor, options: LaneOptions, stage: (lane: LaneCore) => Stage) {
    this.key = options.key
    this.processor = processor
    this.timers = options.timers
    this.clock = options.clock
    this.#hooks = options.hooks
    this.memory = new Memory(processor, options.key, options.record)
    // What goes wrong in here is told with the first delivery.
    this.#stage = stage(this)
    this.#depth = 0
  }

  /** Made when it is asked for: most pipelines have none, and lanes are many. */
  get durable(): DurableOperators {
    return (this.#durable ??= new DurableOperators())
  }

  get record(): KeyRecord {
    return this.memory.settled
  }

  get inHand(): number {
    return this.#line?.length ?? 0
  }

  get unsettled(): readonly Delivery[] {
    return this.#line?.all() ?? []
  }

  get over(): boolean {
    return this.#phase === 'over'
  }

  get #failing(): boolean {
    return this.#phase === 'failing'
  }

  feed(delivery: Delivery, behind = 0): void {
    this.#take(delivery, behind)
  }

  fire(delivery: Delivery): void {
    this.#take(delivery, 0)
  }

  pass(delivery: Delivery, outcome: Outcome, why?: string): void {
    this.#admit(delivery)
    this.#enqueue(delivery)
    delivery.outcome = outcome
    delivery.why = why
    delivery.holds = 0
    this.#settle()
  }

  close(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#stage.close()
  }

  /** Does something with a load's value as the current one. It is held by whoever calls. */
  run(place: Place, load: Load, act: () => void): void {
    if (this.#phase === 'over') return
    const before = now.load
    const at = now.place
    now.load = load
    now.place = place
    this.#depth += 1
    try {
      // What was kept goes on in the midst of another event.
      if (scopesKept()) goOnInScope(this.processor, load.delivery, act)
      else act()
    } finally {
      now.load = before
      now.place = at
      this.#depth -= 1
      if (this.#depth === 0) this.#settle()
    }
  }

  /** Keeps a load from being settled. Only what is held already can be held. */
  hold(load: Load): Load {
    if (load.holds < 1) throw this.fault(new TypeError('Bug: a settled delivery is held'))
    load.holds += 1
    return load
  }

  /** Takes one hold back. With the last one its deliveries are settled, as soon as those before them are. */
  release(load: Load): void {
    // After a failure nothing is settled any more: a branch of the pipeline may have missed it.
    if (this.#phase === 'failing' || this.#phase === 'over') return
    if (load.holds < 1) {
      this.fail(new TypeError('Bug: a delivery is released twice'))
      return
    }
    load.holds -= 1
    if (load.holds === 0 && load instanceof Batch) for (const member of load.members) this.release(member)
    if (this.#depth === 0) this.#settle()
  }

  /** Takes back the hold of an operator that is unsubscribed before it has handed the value on. */
  drop(place: Place, load: Load): void {
    // In an inner stream the operator that has opened it holds the load as well, and decides. What is current
    // is under way in the very call that ends the operator, and has been handled by it.
    if (place.inner !== undefined || load === now.load) this.release(load)
    else if (this.#phase === 'open') this.fail(abandoned())
  }

  /** A value has come out at the end of the pipeline. */
  output(): void {
    if (now.load?.delivery.lane !== this) this.fail(unheld('the end of the pipeline'))
  }

  /** The pipeline has completed. */
  complete(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'ending'
    if (this.#depth === 0) this.#settle()
  }

  /** Ends the lane by an error, of the current delivery if there is one. The first error stands. */
  fail(error: unknown, delivery?: Delivery): void {
    if (this.#phase === 'failing' || this.#phase === 'over') return
    this.#phase = 'failing'
    const current = now.load?.delivery
    const blamed = delivery ?? (current?.lane === this ? current : undefined)
    this.#failure = { delivery: blamed?.settled ? undefined : blamed, error }
    // A hold that nobody takes back.
    if (blamed !== undefined) blamed.holds += 1
    // Told at the end of what runs now, or at once.
    if (this.#depth === 0) this.#settle()
  }

  /** Like {@link fail}, and answers the error for the caller to throw: it cannot be caught away by the pipeline. */
  fault<E extends Error>(error: E): E {
    this.fail(error)
    return error
  }

  #take(delivery: Delivery, behind: number): void {
    this.#admit(delivery)
    if (behind > 0) delivery.reach = delivery.place + behind
    // Most are settled before this returns and meet nobody in the line: those never enter it.
    const alone = this.inHand === 0
    if (!alone) this.#enqueue(delivery)
    if (this.#phase === 'open' && this.#stage.listening) {
      const { load, place } = now
      now.load = delivery
      now.place = this.trunk
      this.#depth = 1
      try {
        if (scopesKept()) handleInScope(this.processor, delivery, () => this.#begin(delivery))
        else this.#begin(delivery)
      } catch (error) {
        this.fail(error)
      } finally {
        now.load = load
        now.place = place
        this.#depth = 0
      }
      if (!this.#failing) delivery.holds -= 1
    } else this.#unheard ??= delivery
    if (alone) {
      if (delivery.holds === 0 && delivery.reach <= delivery.place && !this.over) this.#tell(delivery, nobody)
      else this.#enqueue(delivery)
    }
    this.#settle()
  }

  /** Answers whether the delivery was kept. */
  #begin(delivery: Delivery): boolean {
    if (workTraced()) delivery.span = beginSpan(delivery, this.processor)
    if (delivery.timer === undefined) this.#stage.next(delivery)
    else this.durable.fire(this, delivery)
    return delivery.holds > 1 && !this.#failing
  }

  #enqueue(delivery: Delivery): void {
    this.#line ??= new Line()
    this.#line.push(delivery)
  }

  #admit(delivery: Delivery): void {
    if (this.#phase === 'over' || this.#depth > 0 || (this.#phase !== 'open' && this.#places > 0))
      throw new TypeError(
        this.#phase === 'over'
          ? `The lane of ${this.key} is over`
          : `The lane of ${this.key} was fed from within its pipeline or hooks`,
      )
    this.#places += 1
    delivery.enter(this, this.#places)
  }

  /** Tells the owner what has been settled, and the end. */
  #settle(): void {
    if (this.#phase === 'over') return
    const line = this.#line
    if (line !== undefined)
      for (let delivery = line.take(); delivery !== undefined; delivery = line.take()) {
        for (const before of line.together) this.#note(before)
        this.#tell(delivery, line.together)
        if (this.over) return
      }
    if (this.#phase === 'failing') this.#fall()
    else if (this.#phase === 'ending' || (this.#unheard !== undefined && this.#unheard === line?.first))
      this.#end()
  }

  #tell(delivery: Delivery, together: readonly Delivery[]): void {
    this.#note(delivery)
    // So that a hook which feeds its lane is noticed.
    this.#depth = 1
    this.#hooks.settled(delivery, together)
    this.#depth = 0
  }

  #note(delivery: Delivery): void {
    delivery.settled = true
    this.#settledAny = true
    if (delivery.span !== undefined) tellAttempt(this.processor, delivery)
    if (delivery.outcome === 'deferred') this.#unmet(delivery)
    if (delivery.after !== undefined) this.memory.settled = delivery.after
  }

  /** Only now: until it is settled, nothing may be recorded for what is deferred, whatever is made of it. */
  #unmet(delivery: Delivery): void {
    const instead = this.processor.onUnmet.get(delivery.event?.type ?? '')
    if (instead === undefined) return
    delivery.outcome = instead === 'ignore' ? 'done' : 'dead'
    delivery.unmet = true
  }

  #fall(): void {
    this.close()
    this.#hooks.failed(this.#failure?.delivery ?? this.#line?.first, this.#failure?.error)
  }

  #end(): void {
    this.close()
    // A fresh lane would come no further: without this, the two would take turns for ever.
    if (this.inHand > 0 && !this.#settledAny) this.#hooks.failed(this.#line?.first, endedIdle())
    else this.#hooks.ended()
  }
}
