import { type Event, MillraceError, type Topic } from '@millrace/event'
import type { Processor, Program } from '@millrace/processor'
import type { SalesTask } from '../domain/settle-buyer.ts'
import type { SalesDesk, TaskContext } from '../sales-desk.ts'
import type { Random } from './histories.ts'

/** What was carried out for one buyer, by what it is for; a repeat counts once. */
export interface Done {
  quotes: Set<string>
  contacts: number
  calls: Map<string, 'open' | 'cancelled'>
  mails: Set<string>
}

/** Fails with some chance, and counts what it has done. Repeats of the same task are the same. */
export class CountingDesk implements SalesDesk {
  readonly done = new Map<string, Done>()
  /** How often it has failed. */
  failures = 0
  readonly #fails: () => boolean

  constructor(fails: () => boolean = () => false) {
    this.#fails = fails
  }

  of(buyer: string): Done {
    const known = this.done.get(buyer)
    if (known) return known
    const fresh = { quotes: new Set<string>(), contacts: 0, calls: new Map(), mails: new Set<string>() }
    this.done.set(buyer, fresh)
    return fresh
  }

  async quote(task: { readonly offer: string }, { key }: Pick<TaskContext, 'key'>): Promise<void> {
    this.#once(() => this.of(key).quotes.add(task.offer))
  }

  async contact({ key }: Pick<TaskContext, 'key'>): Promise<void> {
    // Nothing tells a second contact apart from the first: it must not be asked for.
    this.#once(() => (this.of(key).contacts += 1), 'before')
  }

  async call(
    { kind, offer, acceptance }: Extract<SalesTask, { kind: 'call' | 'cancel-call' }>,
    { key }: Pick<TaskContext, 'key'>,
  ): Promise<void> {
    const state = kind === 'call' ? 'open' : 'cancelled'
    this.#once(() => this.of(key).calls.set(`${offer}.${acceptance}`, state))
  }

  async tellAccepted(
    { offer, acceptance }: Extract<SalesTask, { kind: 'tell-accepted' }>,
    { key }: Pick<TaskContext, 'key'>,
  ): Promise<void> {
    this.#once(() => this.of(key).mails.add(`${offer}.${acceptance}`))
  }

  /** Fails before or after it has done its work, as the outside does. */
  #once(work: () => unknown, when: 'before' | 'either' = 'either'): void {
    if (this.#fails()) {
      if (when === 'either' && this.failures % 2 === 0) work()
      this.failures += 1
      throw new MillraceError('service.unavailable', 'The desk is away for a moment')
    }
    work()
  }
}

/** What a desk must have done when it was given these tasks. */
export function doneOf(tasks: readonly SalesTask[]): Done {
  const desk = new CountingDesk()
  const done = desk.of('')
  for (const task of tasks) {
    if (task.kind === 'quote') done.quotes.add(task.offer)
    else if (task.kind === 'contact') done.contacts += 1
    else if (task.kind === 'tell-accepted') done.mails.add(`${task.offer}.${task.acceptance}`)
    else done.calls.set(`${task.offer}.${task.acceptance}`, task.kind === 'call' ? 'open' : 'cancelled')
  }
  return done
}

/** The processor, whose handler fails now and then: before or after it has recorded what it wants. */
export function flaky<T extends Topic, S>(
  of: Processor<T, S>,
  random: Random,
  chance: number,
): { readonly processor: Processor<T, S>; readonly failures: () => number } {
  const { program } = of
  if (program.kind !== 'handler') throw new TypeError('Only a handler can be made to fail')
  let failures = 0
  const fail = (event: Event) => {
    failures += 1
    throw new MillraceError('service.unavailable', `${event.type} fails for a moment`)
  }
  const handle: typeof program.handle = (event, context) => {
    if (random() < chance / 2) fail(event)
    const result = program.handle(event, context)
    if (random() < chance / 2) fail(event)
    return result
  }
  const failing: Program = { kind: 'handler', handle }
  return { processor: { ...of, program: failing }, failures: () => failures }
}
