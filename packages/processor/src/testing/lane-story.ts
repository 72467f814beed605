import { MillraceError, newEvent } from '@millrace/event'
import { createLane } from '../lane/create-lane.ts'
import { Delivery } from '../lane/delivery.ts'
import type { Lane, LaneHooks } from '../lane/lane.ts'
import { emptyRecord, type KeyRecord } from '../model/key-record.ts'
import { Choices } from './choices.ts'
import { numbered, RandomPipeline, type Traced, traces } from './random-pipeline.ts'
import { VirtualTime } from '@millrace/event'

/**
 * A random pipeline, fed and driven at random: inner streams emit, complete and fail, time passes, the lane is given
 * up and begun afresh as after a crash. It throws when a delivery is settled too early, twice, out of order, without
 * those that went into one value with it, or never; when a lane ends without saying so; when the state is not the fold
 * of what is settled.
 */
export class LaneStory {
  readonly #choose: Choices
  readonly #time = new VirtualTime()
  readonly #pipeline: RandomPipeline
  readonly #faults: string[] = []
  readonly #settled = new Set<number>()
  #record: KeyRecord = emptyRecord
  #lane: Lane
  /** How the present lane has ended, if it has. */
  #ending: string | undefined
  #fed = 0
  /** Ends by failure or completion so far. */
  ends = 0
  /** How often the pipeline was found at fault; then it is refused, and nothing more can come of it. */
  #refusals = 0

  constructor(random: () => number) {
    this.#choose = new Choices(random)
    this.#pipeline = new RandomPipeline(this.#choose, (value) => this.#passes(value))
    this.#lane = this.#freshLane()
  }

  /** Runs it to its end and answers what was wrong. */
  run(steps: number): string[] {
    for (let step = 0; step < steps && !this.#stopped; step++) this.#act()
    for (let round = 0; this.#lane.inHand > 0 && round < 5_000 && !this.#stopped; round++) this.#finish()
    if (this.#lane.inHand > 0 && !this.#stopped)
      this.#wrong(`never settled: ${numbers(this.#lane.unsettled).join()}`)
    this.#lane.close()
    if (this.#pipeline.open.size > 0) this.#wrong('an inner stream outlives its lane')
    if (this.#time.pending > 0) this.#wrong('a timer outlives its lane')
    return this.#told()
  }

  get #stopped(): boolean {
    return this.#faults.length > 0 || this.#refusals > 20
  }

  #told(): string[] {
    return this.#faults.length === 0
      ? []
      : [`${this.#faults.join('; ')} in ${this.#pipeline.story.join(' ')}`]
  }

  #act(): void {
    const chance = this.#choose.chance()
    if (chance < 0.4) this.#feed()
    else if (chance < 0.6) this.#time.advance(this.#choose.between(0, 15))
    else if (chance < 0.62) this.#begin(this.#giveUp())
    else this.#stir()
    this.#check()
  }

  /** Something happens in an inner stream. */
  #stir(): void {
    if (this.#pipeline.open.size === 0) return
    const stream = this.#choose.oneOf([...this.#pipeline.open])
    const chance = this.#choose.chance()
    if (chance < 0.5) {
      stream.subscriber.next({ seqs: stream.seqs })
      return
    }
    stream.over = true
    if (chance < 0.95) stream.subscriber.complete()
    else stream.subscriber.error(new Error(`stream of ${stream.seqs.join()}`))
  }

  #finish(): void {
    for (const stream of this.#pipeline.open) {
      stream.subscriber.next({ seqs: stream.seqs })
      stream.over = true
      stream.subscriber.complete()
    }
    this.#time.advance(50)
    this.#check()
  }

  #feed(): void {
    const n = ++this.#fed
    const event = newEvent(numbered, { type: 'Came', key: 'key', data: { n } }, this.#time)
    const position = { topic: 'numbered', partition: 0, id: `${this.#time.now()}-${n}`, seq: n }
    this.#lane.feed(Delivery.ofEvent({ event, position }))
  }

  /** After an end, everything unsettled goes to a fresh lane. */
  #check(): void {
    for (let again = 0; this.#ending !== undefined && !this.#stopped; again++) {
      this.ends += 1
      const left = this.#giveUp()
      if (again > 100) this.#wrong(`over and over: ${this.#ending}`)
      this.#begin(left)
    }
  }

  #giveUp(): readonly Delivery[] {
    this.#lane.close()
    const left = this.#lane.unsettled
    if (left.length + this.#settled.size !== this.#fed)
      this.#wrong('a delivery is neither settled nor unsettled')
    if (this.#pipeline.open.size > 0) this.#wrong('an inner stream outlives its lane')
    this.#record = this.#lane.record
    return left
  }

  #begin(left: readonly Delivery[]): void {
    this.#ending = undefined
    this.#pipeline.cut.clear()
    this.#lane = this.#freshLane()
    for (const [at, delivery] of left.entries()) {
      if (!this.#lane.over) this.#lane.feed(delivery)
      // As an engine that has more to feed than the lane lives to see.
      if (this.#lane.over) {
        this.#lane = new Rest(this.#lane, left.slice(at + 1))
        return
      }
    }
  }

  #freshLane(): Lane {
    let over = false
    const end = (how: string) => {
      if (over) this.#wrong(`ended twice: ${how}`)
      over = true
      this.#ending = how
    }
    const hooks: LaneHooks = {
      settled: (delivery, together) => {
        if (over) this.#wrong('settled after the end')
        this.#settle([...together, delivery])
      },
      failed: (delivery, error) => {
        if (delivery === undefined || delivery.settled) this.#wrong(`nobody failed: ${String(error)}`)
        if (String(error).includes('Bug')) this.#wrong(String(error))
        if (error instanceof MillraceError) {
          this.#refusals += 1
          // The operators that can bring it about; and never one of ours that forgets a delivery.
          if (!refusable.test(this.#pipeline.story.join()) || error.code === 'pipeline.unheld')
            this.#wrong(String(error))
        }
        end(String(error))
      },
      ended: () => end('ended'),
    }
    const { processor } = this.#pipeline
    return createLane(processor, {
      key: 'key',
      record: this.#record,
      hooks,
      timers: this.#time,
      clock: this.#time,
    })
  }

  #settle(group: readonly Delivery[]): void {
    const members = numbers(group)
    for (const n of members) {
      if (this.#settled.has(n)) this.#wrong(`${n} settled twice`)
      if (n !== this.#settled.size + 1) this.#wrong(`${n} settled out of order`)
      this.#settled.add(n)
      for (const stream of this.#pipeline.open)
        if (stream.seqs.includes(n)) this.#wrong(`${n} settled while its stream is open`)
      if (this.#pipeline.keepsAll && this.#pipeline.cut.has(n))
        this.#wrong(`${n} settled, its stream was cut off`)
    }
    for (const delivery of group)
      for (const { event } of delivery.emits ?? []) {
        const { seqs } = traces.types.Seen.parse(event.data)
        if (Math.max(...seqs) !== numberOf(delivery))
          this.#wrong(`${seqs.join()} recorded on ${numberOf(delivery)}`)
        if (seqs.some((n) => !members.includes(n))) this.#wrong(`${seqs.join()} committed apart`)
      }
    if (String(this.#lane.record.state) !== String([...this.#settled]))
      this.#wrong('the state is not the fold')
  }

  #passes(value: Traced): void {
    if (this.#lane.over) this.#wrong(`${value.seqs.join()} moves in a lane that is over`)
    for (const n of value.seqs) if (this.#settled.has(n)) this.#wrong(`${n} was settled too early`)
  }

  #wrong(what: string): void {
    this.#faults.push(what)
  }
}

const refusable = /take|catchError|throttleTime|debounceTime|switchMap|retry|throws/

/** A lane that is over, with what could not be fed to it any more. */
class Rest implements Lane {
  readonly key = 'key'
  readonly over = true
  readonly record: KeyRecord
  readonly unsettled: readonly Delivery[]

  constructor(lane: Lane, more: readonly Delivery[]) {
    this.record = lane.record
    this.unsettled = [...lane.unsettled, ...more]
  }

  get inHand(): number {
    return this.unsettled.length
  }

  feed(): void {
    throw new TypeError('over')
  }

  fire(): void {
    this.feed()
  }

  pass(): void {
    this.feed()
  }

  close(): void {}
}

function numbers(deliveries: readonly Delivery[]): number[] {
  return deliveries.map(numberOf)
}

function numberOf(delivery: Delivery): number {
  return delivery.recorded?.position.seq ?? 0
}
