import { type EventOf, topic } from '@millrace/event'
import {
  catchError,
  EMPTY,
  filter,
  map,
  merge,
  mergeMap as mergeMapOfRxjs,
  Observable,
  of,
  type OperatorFunction,
  retry,
  share,
  type Subscriber,
  take,
  tap,
} from 'rxjs'
import { z } from 'zod'
import { now } from '../lane/current.ts'
import { type Processor, processor } from '../model/processor.ts'
import { state } from '../model/state.ts'
import { bufferCount } from '../operators/buffer-count.ts'
import { bufferTime } from '../operators/buffer-time.ts'
import { concatMap } from '../operators/concat-map.ts'
import { debounceTime } from '../operators/debounce-time.ts'
import { delay } from '../operators/delay.ts'
import { emit } from '../operators/emit.ts'
import { evolve } from '../operators/evolve.ts'
import { exhaustMap } from '../operators/exhaust-map.ts'
import { mergeMap } from '../operators/merge-map.ts'
import { switchMap } from '../operators/switch-map.ts'
import { throttleTime } from '../operators/throttle-time.ts'
import type { Choices } from './choices.ts'

const seqs = z.array(z.int())
export const numbered = topic('numbered', { types: { Came: z.object({ n: z.int() }) } })
export const traces = topic('traces', { types: { Seen: z.object({ seqs }) } })

/** A value that knows which events went into it. */
export interface Traced {
  readonly seqs: readonly number[]
}

/** An inner stream that the test drives. */
export interface OpenStream extends Traced {
  /** It has completed or failed by itself. */
  over: boolean
  readonly subscriber: Subscriber<Traced>
}

type Step = OperatorFunction<Traced, Traced>

/** Makes random pipelines, and watches what passes through them. */
export class RandomPipeline {
  readonly processor: Processor
  /** Inner streams that are subscribed. */
  readonly open = new Set<OpenStream>()
  /** Events whose inner stream was cut off in the middle, by something that had to do with another event. */
  readonly cut = new Set<number>()
  /** What the pipeline was made of, to be printed. */
  readonly story: string[] = []
  readonly #choose: Choices
  readonly #passes: (value: Traced) => void
  /** Events that make a step throw, the first time. */
  readonly #thrown = new Set<number>()

  /** @param passes Called for every value that passes between two operators. */
  constructor(choose: Choices, passes: (value: Traced) => void) {
    this.#choose = choose
    this.#passes = passes
    const trunk = this.#trunk()
    this.processor = processor('random', numbered, {
      state: state({ initial: (): readonly number[] => [] }),
      pipeline: (lane) =>
        trunk(
          lane.pipe(
            evolve((all, event) => [...all, event.data.n]),
            map(({ event }: { readonly event: EventOf<typeof numbered> }) => ({ seqs: [event.data.n] })),
          ),
        ).pipe(
          tap(this.#passes),
          emit(traces, (value) => ({ type: 'Seen', data: { seqs: [...value.seqs] } })),
        ),
    })
  }

  #trunk(): Step {
    const [one, other] = [this.#chain(2, 'trunk'), this.#chain(2, 'branch')]
    const end = this.#end()
    const kind = this.#choose.chance()
    if (kind < 0.5) return (source) => end(one(source))
    this.story.push('merged')
    if (kind < 0.75)
      return (source) => {
        // Two subscriptions of the source would fold each event twice.
        const shared = source.pipe(share())
        return end(merge(one(shared), other(shared)))
      }
    return (source) => {
      const shared = one(source).pipe(share())
      return end(merge(other(shared), shared.pipe(filter(({ seqs: [first = 0] }) => first % 2 === 0))))
    }
  }

  /** Sometimes the pipeline ends early, or catches what it should not. */
  #end(): Step {
    const kind = this.#choose.chance()
    if (kind < 0.1) {
      const count = this.#choose.between(1, 4)
      this.story.push(`take(${count})`)
      return take(count)
    }
    if (kind < 0.2) {
      this.story.push('catchError')
      return catchError(() => EMPTY)
    }
    return (source) => source
  }

  #chain(depth: number, where: string): Step {
    const steps = Array.from({ length: this.#choose.between(0, 3) }, () => this.#step(depth, where))
    return (source) => steps.reduce((before, step) => before.pipe(step, tap(this.#passes)), source)
  }

  #step(depth: number, where: string): Step {
    const flatten = () => this.#flatten(depth, where)
    return this.#choose.oneOf([flatten, flatten, () => this.#timed(where), () => this.#plain(where)])()
  }

  #plain(where: string): Step {
    const salt = this.#choose.between(0, 9)
    const [name, step] = this.#choose.oneOf<[string, Step]>([
      ['filter', filter(({ seqs: [first = 0] }) => (first + salt) % 3 > 0)],
      ['twice', mergeMapOfRxjs((value: Traced) => [value, value])],
      ['throws', map((value: Traced) => this.#throwsOnce(value, salt))],
    ])
    this.story.push(`${where}:${name}`)
    return step
  }

  #throwsOnce(value: Traced, salt: number): Traced {
    const [first = 0] = value.seqs
    if ((first + salt) % 10 !== 0 || this.#thrown.has(first)) return value
    this.#thrown.add(first)
    throw new Error(`thrown for ${first}`)
  }

  #timed(where: string): Step {
    const ms = this.#choose.between(0, 20)
    const size = this.#choose.between(1, 4)
    const joined = map((values: readonly Traced[]) => ({ seqs: values.flatMap((value) => value.seqs) }))
    const [name, step] = this.#choose.oneOf<[string, Step]>([
      ['delay', delay(ms)],
      ['debounceTime', debounceTime(ms)],
      [
        'throttleTime',
        throttleTime(ms, { trailing: this.#choose.chance() < 0.5, leading: this.#choose.chance() < 0.5 }),
      ],
      ['bufferCount', (source) => source.pipe(bufferCount(size, ms), joined)],
      ['bufferTime', (source) => source.pipe(bufferTime(ms, size), joined)],
    ])
    this.story.push(`${where}:${name}(${ms}, ${size})`)
    return step
  }

  #flatten(depth: number, where: string): Step {
    const inner = this.#inner(depth, where)
    const [name, step] = this.#choose.oneOf<[string, Step]>([
      ['mergeMap', mergeMap(inner)],
      ['mergeMap 2', mergeMap(inner, 2)],
      ['concatMap', concatMap(inner)],
      ['switchMap', switchMap(inner)],
      ['exhaustMap', exhaustMap(inner)],
    ])
    this.story.push(`${where}:${name}`)
    return step
  }

  #inner(depth: number, where: string): (value: Traced) => Observable<Traced> {
    const kind = this.#choose.chance()
    if (kind < 0.15) return (value) => of(value, value)
    if (kind < 0.2) return () => EMPTY
    const further =
      depth > 0 && this.#choose.chance() < 0.5 ? this.#chain(depth - 1, `${where}>inner`) : undefined
    const mended = this.#choose.chance()
    if (mended < 0.4) this.story.push(`${where}>inner:${mended < 0.2 ? 'catchError' : 'retry'}`)
    return (value) => {
      const stream = this.#stream(value)
      const chained = further === undefined ? stream : further(stream)
      if (mended < 0.2) return chained.pipe(catchError(() => EMPTY))
      return mended < 0.4 ? chained.pipe(retry(1)) : chained
    }
  }

  /** No operator of it drops what another event has begun: then nothing that is cut off may be settled. */
  get keepsAll(): boolean {
    return !this.story.some((word) => /switchMap|take|inner:(catchError|retry)/.test(word))
  }

  #stream({ seqs }: Traced): Observable<Traced> {
    return new Observable((subscriber) => {
      const stream = { seqs, subscriber, over: false }
      this.open.add(stream)
      for (const n of seqs) this.cut.delete(n)
      return () => {
        this.open.delete(stream)
        const current = now.load?.delivery.recorded?.position.seq
        if (!stream.over && (current === undefined || !seqs.includes(current)))
          for (const n of seqs) this.cut.add(n)
      }
    })
  }
}
