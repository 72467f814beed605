import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { type Commit, type DeadLetter, type Firing, Forwarder, type Lease } from '@millrace/processor'
import { type Asking, askingOf } from '../act.ts'
import { EffectModel } from './effect-model.ts'
import { lettersOf, loadSlots } from './key-loader.ts'
import type { Process } from './network.ts'
import { Outcomes } from './slot.ts'
import { partsOf } from './turn.ts'
import type { World } from './world.ts'

const unsettledMost = 12

/** One lease in the hand of a member, from the answer that gave it to its end. */
export class Tenure {
  readonly #process: Process
  readonly #world: World
  readonly #token: string
  #n: number
  readonly #settled: Set<number>
  #position: { readonly id: string; readonly seq: number }
  #cursor: string
  /** Read, in order, behind the position. */
  #events: Asking[] = []
  /** The last letter that it has sent. */
  #letter: DeadLetter | undefined
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
      failed: (error) => {
        world.story.tell(`${process.name} cannot forward: ${String(error)}`)
        this.#over = true
      },
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
          [this.#events.length > 0 ? 8 : 2, () => this.#turn()],
          [1, () => this.#renew()],
          [this.#world.calm ? 0 : 0.2, () => this.#release()],
          [1, () => this.#process.sleep(random.between(1, 200))],
        ])
        await this.#attempt(choice)
      }
    } finally {
      this.#over = true
      this.#forwarder.end()
      this.#effects.end()
    }
  }

  /** Who hears nothing of a read, or of a renewal, goes on; what a commit comes to has to be known. */
  async #attempt(act: (() => Promise<unknown>) | undefined): Promise<void> {
    try {
      await act?.()
    } catch (error) {
      if (!(error instanceof MillraceError && error.retryable)) throw error
      this.#world.story.tell(`${this.#process.name} goes on: ${error.code}`)
    }
  }

  async #read(): Promise<void> {
    const { log, at } = this.#world
    const cursor = new Map([[at.partition, this.#cursor]])
    const read = await this.#ask('read', () => log.read(at.topic, cursor, { limit: 8 }))
    const events: readonly Recorded[] = read.get(at.partition) ?? []
    this.#cursor = events.at(-1)?.position.id ?? this.#cursor
    this.#events.push(...events.map(askingOf))
  }

  /** Handles some of what is at hand, as one commit. */
  async #turn(): Promise<void> {
    const { random, nowMs, store, at } = this.#world
    const taken = this.#take()
    const parked = await this.#sometimes('parked', () => store.parked(at, { limit: 2 }), 0.25)
    const due = await this.#sometimes('dueTimers', () => store.dueTimers(at, nowMs, 3))
    const marked = await this.#sometimes('dueKeys', () => store.dueKeys(at, nowMs, 2))
    const requeued = await this.#sometimes('requeued', () => store.requeued(at, { limit: 3 }))
    const letters = requeued?.items ?? []
    const late = await lettersOf(this.#process, this.#world, letters)
    const marks = new Map(marked?.map(({ key, atMs }) => [key, atMs]))
    const retried = new Set([...(parked?.items ?? []).map(({ key }) => key), ...marks.keys()])
    const timers = due?.timers ?? []
    const touched = [...taken, ...timers, ...letters].map(({ key }) => key)
    const slots = await loadSlots(this.#process, this.#world, [...new Set([...touched, ...retried])], letters)
    if (slots.size === 0) return
    if (taken.some(({ key, seq }) => slots.get(key)?.knows(seq))) {
      this.#world.story.tell(`${this.#process.name} finds that another one has gone on`)
      this.#over = true
      return
    }
    const out = new Outcomes(this.#world.nowMs, this.#process.name)
    const firings: Firing[] = []
    for (const timer of timers) {
      const slot = slots.get(timer.key)
      // A timer of a parked key lines up behind it.
      if (!slot || slot.line) continue
      slot.fire(timer, out)
      firings.push({ ...timer, afterSeq: slot.seq })
    }
    for (const key of retried) slots.get(key)?.retry(random.between(1, 4), out, marks.get(key))
    for (const asking of taken) slots.get(asking.key)?.take(asking, out)
    for (const asking of late) slots.get(asking.key)?.handleLate(asking, out)
    this.#writeAgain(out)
    const settled = new Set([...this.#settled, ...taken.map(({ seq }) => seq)])
    const position = this.#reached(settled)
    const ahead = [...settled].filter((seq) => seq > position.seq).toSorted((a, b) => a - b)
    const parts = partsOf([...slots.values()], out, firings, this.#world)
    const anyway = this.#n % 2 === 0 ? ({ anyway: true } as const) : {}
    const mark = random.chance(0.5) ? { settled: { atMs: nowMs, member: this.#process.name, ...anyway } } : {}
    await this.#commit({ token: this.#token, n: this.#n + 1, position, ahead, ...parts, ...mark })
  }

  /** Events that are read and not settled, of some keys. */
  #take(): readonly Asking[] {
    const { random } = this.#world
    const open = this.#events.filter(({ seq }) => !this.#settled.has(seq))
    const keys = [...new Set(open.map(({ key }) => key))].filter((key) =>
      random.chance(key === this.#slow ? 0.1 : 0.7),
    )
    return open.filter(({ key }) => keys.includes(key)).slice(0, random.between(1, 8))
  }

  /** A letter may be written twice: the later text stands. */
  #writeAgain(out: Outcomes): void {
    const last = this.#letter
    this.#letter = out.dead.at(-1) ?? last
    if (!last || !this.#world.random.chance(0.1)) return
    if (out.dead.some(({ seq }) => seq === last.seq) || out.late.includes(last.seq)) return
    out.dead.push({ ...last, atMs: out.nowMs, message: 'never, as was said' })
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
        if (this.#world.random.chance(0.5)) await this.#attempt(() => this.#renew())
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
    if ((await this.#process.call('renew', renew, 'commit.unknown')).status === 'fenced') this.#over = true
  }

  async #release(): Promise<void> {
    const { store, at } = this.#world
    this.#over = true
    await this.#process.call('release', () => store.release(at, this.#token), 'commit.unknown')
  }

  #sometimes<T>(what: string, act: () => Promise<T>, chance = 0.4): Promise<T> | undefined {
    return this.#world.random.chance(chance) ? this.#ask(what, act) : undefined
  }

  #ask<T>(what: string, act: () => Promise<T>): Promise<T> {
    return this.#process.call(what, act, 'log.unavailable')
  }
}
