import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { Commit } from '@millrace/processor'
import { Forwarder } from '@millrace/processor'
import type { Lease } from '@millrace/processor'
import type { Firing } from '@millrace/processor'
import { type Asking, askingOf } from '../act.ts'
import { EffectModel } from './effect-model.ts'
import type { Process } from './network.ts'
import { Slot } from './slot.ts'
import { newOutcomes, partsOf } from './turn.ts'
import type { World } from './world.ts'

const unsettledMost = 12

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

/** One lease in the hand of a member, from the answer that gave it to its end. */
class Tenure {
  readonly #process: Process
  readonly #world: World
  readonly #token: string
  #n: number
  readonly #settled: Set<number>
  #position: { readonly id: string; readonly seq: number }
  #cursor: string
  /** Read, in order, behind the position. */
  #events: Asking[] = []
  readonly #forwarder: Forwarder
  readonly #effects: EffectModel
  /** A key that it is slow with, so that others go on ahead of it. */
  readonly #slow: string | undefined
  #over = false

  constructor(process: Process, world: World, lease: Lease) {
    this.#process = process
    this.#world = world
    this.#token = lease.token
    this.#n = lease.n
    this.#settled = new Set(lease.ahead)
    this.#position = lease.position
    this.#cursor = lease.position.id
    this.#slow = world.calm ? undefined : world.random.pick(['a', 'b', 'cc', 'dd'])
    this.#forwarder = new Forwarder(world.forwarding(process), world.at, {
      moved: () => undefined,
      failed: (error) => world.story.tell(`${process.name} cannot forward: ${String(error)}`),
    })
    this.#effects = new EffectModel(process, world, lease.token)
  }

  async work(): Promise<void> {
    const { random } = this.#world
    this.#forwarder.start()
    void this.#effects.work()
    try {
      while (!this.#over) {
        const choice = random.weighted<() => Promise<unknown>>([
          [this.#events.length < unsettledMost ? 3 : 0, () => this.#read()],
          [6, () => this.#turn()],
          [1, () => this.#renew()],
          [this.#world.calm ? 0 : 0.2, () => this.#release()],
          [1, () => this.#process.sleep(random.between(1, 200))],
        ])
        await choice?.()
      }
    } finally {
      this.#over = true
      this.#forwarder.end()
      this.#effects.end()
    }
  }

  async #read(): Promise<void> {
    const { log, at } = this.#world
    const cursor = new Map([[at.partition, this.#cursor]])
    const read = await this.#call('read', () => log.read(at.topic, cursor, { limit: 8 }), 'log.unavailable')
    const events: readonly Recorded[] = read.get(at.partition) ?? []
    this.#cursor = events.at(-1)?.position.id ?? this.#cursor
    this.#events.push(...events.map(askingOf))
  }

  /** Handles some of what is at hand, as one commit. */
  async #turn(): Promise<void> {
    const { random, nowMs, store, at, target } = this.#world
    const open = this.#events.filter(({ seq }) => !this.#settled.has(seq))
    const keys = [...new Set(open.map(({ key }) => key))].filter((key) =>
      random.chance(key === this.#slow ? 0.1 : 0.7),
    )
    const taken = open.filter(({ key }) => keys.includes(key)).slice(0, random.between(1, 8))
    const parked = await this.#sometimes(() =>
      this.#call('parked', () => store.parked(at, { limit: 2 }), 'log.unavailable'),
    )
    const due = await this.#sometimes(() =>
      this.#call('dueTimers', () => store.dueTimers(at, nowMs, 3), 'log.unavailable'),
    )
    const marked = await this.#sometimes(() =>
      this.#call('dueKeys', () => store.dueKeys(at, nowMs, 2), 'log.unavailable'),
    )
    const marks = new Map(marked?.map(({ key, atMs }) => [key, atMs]))
    const retried = [...new Set([...(parked?.items ?? []).map(({ key }) => key), ...marks.keys()])]
    const fired = (due?.timers ?? []).map(({ key }) => key)
    const slots = await this.#slots([...new Set([...taken.map(({ key }) => key), ...retried, ...fired])])
    if (slots.size === 0) return
    if (taken.some(({ key, seq }) => slots.get(key)?.knows(seq))) {
      this.#world.story.tell(`${this.#process.name} finds that another one has gone on`)
      this.#over = true
      return
    }
    const out = newOutcomes()
    const firings: Firing[] = []
    for (const timer of due?.timers ?? []) {
      const slot = slots.get(timer.key)
      // A timer of a parked key lines up behind it.
      if (!slot || slot.line) continue
      slot.fire(timer, out)
      firings.push({ ...timer, afterSeq: slot.seq })
    }
    for (const key of retried) slots.get(key)?.retry(random.between(1, 4), out, nowMs, marks.get(key))
    for (const asking of taken) slots.get(asking.key)?.take(asking, out, nowMs)
    const settled = new Set([...this.#settled, ...taken.map(({ seq }) => seq)])
    const position = this.#reached(settled)
    const ahead = [...settled].filter((seq) => seq > position.seq).toSorted((a, b) => a - b)
    const parts = partsOf([...slots.values()], out, firings, target)
    const commit = { token: this.#token, n: this.#n + 1, position, ahead, ...parts }
    await this.#commit(commit)
  }

  /** Sends a commit, and sends it again, the same one, while nobody knows what became of it. */
  async #commit(commit: Commit): Promise<void> {
    const { store, at } = this.#world
    let numbers: readonly number[] | undefined
    for (;;) {
      try {
        const result = await this.#process.call(
          `commit ${commit.n}`,
          () => store.commit(at, commit),
          'commit.unknown',
          commit,
        )
        if (result.status === 'fenced') {
          this.#over = true
          return
        }
        numbers = result.status === 'committed' ? result.numbers : undefined
        break
      } catch (error) {
        if (!(error instanceof MillraceError && error.code === 'commit.unknown')) throw error
        // A member that asks how things stand before it repeats finds itself fenced: the store knows more than it.
        if (this.#world.random.chance(0.3)) await this.#renew()
        if (this.#over) return
      }
    }
    this.#n = commit.n
    this.#position = commit.position
    for (const seq of commit.ahead) this.#settled.add(seq)
    this.#events = this.#events.filter(({ seq }) => seq > commit.position.seq)
    for (const seq of this.#settled) if (seq <= commit.position.seq) this.#settled.delete(seq)
    this.#forwarder.add(commit.n, commit.outbox ?? [], numbers)
  }

  async #slots(keys: readonly string[]): Promise<ReadonlyMap<string, Slot>> {
    const { store, at, log } = this.#world
    const stored = await this.#call('loadStates', () => store.loadStates(at, keys), 'log.unavailable')
    const slots = new Map<string, Slot>()
    for (const one of stored) {
      let events: readonly Asking[] = []
      if (one.parked ?? one.deferred.length > 0) {
        const history = await this.#call('readKey', () => log.readKey(at.topic, one.key), 'log.unavailable')
        events = history.events.map(askingOf)
      }
      const { head = 0, last = 0 } = one.parked ?? {}
      const line = events.filter(({ seq }) => seq >= head && seq <= last)
      const waiting = events.filter(({ seq }) => one.deferred.some((event) => event.seq === seq))
      slots.set(one.key, new Slot(one, line, waiting))
    }
    return slots
  }

  /** The last event up to which everything is settled. */
  #reached(settled: ReadonlySet<number>): { id: string; seq: number } {
    let { id, seq } = this.#position
    for (const event of this.#events) {
      if (event.seq !== seq + 1 || !settled.has(event.seq)) break
      id = event.id
      seq = event.seq
    }
    return { id, seq }
  }

  async #renew(): Promise<void> {
    const { store, at, leaseMs } = this.#world
    const lease = { token: this.#token, n: this.#n }
    const renew = () => store.renew(at, lease, leaseMs)
    if ((await this.#call('renew', renew, 'commit.unknown')).status === 'fenced') this.#over = true
  }

  async #release(): Promise<void> {
    const { store, at } = this.#world
    this.#over = true
    await this.#call('release', () => store.release(at, this.#token), 'commit.unknown')
  }

  #sometimes<T>(act: () => Promise<T>): Promise<T> | undefined {
    return this.#world.random.chance(0.4) ? act() : undefined
  }

  #call<T>(what: string, act: () => Promise<T>, unknown: 'log.unavailable' | 'commit.unknown'): Promise<T> {
    return this.#process.call(what, act, unknown)
  }
}
