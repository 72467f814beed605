import { MillraceError } from '@millrace/event'
import type {
  Commit,
  DeferredList,
  Firing,
  Lease,
  Reached,
  StateWrite,
  TimerSetting,
} from '@millrace/processor'
import { foldedFiring, type Folded } from '../act.ts'
import type { Process } from '../port/network.ts'
import type { World } from '../port/world.ts'
import { decisionsOn } from './decisions.ts'
import { foldHistory } from './history-fold.ts'
import type { BuiltAt } from './replay-model.ts'
import { Takeover } from './takeover.ts'

const ever = Number.MAX_SAFE_INTEGER

/** What a replay commits: nothing that could go out. */
type Content = Pick<Commit, 'states' | 'defers' | 'timers' | 'firings'>

/** One lease of a building generation in the hand of a replay, from the answer that gave it to its end. */
export class Rebuild {
  readonly process: Process
  readonly world: World
  readonly at: BuiltAt
  readonly member: string
  readonly token: string
  n: number
  position: Reached
  ahead: readonly number[]
  over = false

  constructor(
    process: Process,
    world: World,
    given: { readonly at: BuiltAt; readonly member: string; readonly lease: Lease },
  ) {
    const { at, member, lease } = given
    this.process = process
    this.world = world
    this.at = at
    this.member = member
    this.token = lease.token
    this.n = lease.n
    this.position = lease.position
    this.ahead = lease.ahead
  }

  async work(): Promise<void> {
    const { random, store } = this.world
    // What was fired for a switch that did not come the live one fires by itself: nobody can go on with that.
    const { items } = await this.ask('firings', () => store.firings(this.at))
    if (items.length > 0) await this.#giveUp()
    while (!this.over) {
      const choice = random.weighted<() => Promise<unknown>>([
        [this.world.calm ? 0 : 4, () => this.#page()],
        [1, () => this.#renew()],
        [3, () => new Takeover(this).work()],
        [0.3, () => this.#release()],
        [0.3, () => this.#giveUp()],
        [1, () => this.process.sleep(random.between(1, 300))],
      ])
      try {
        await choice?.()
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) throw error
        this.world.story.tell(`${this.process.name} goes on: ${error.code}`)
      }
    }
  }

  /** Folds some events more, up to where the live generation was a moment ago. */
  async #page(): Promise<void> {
    const { random, store, log, at } = this.world
    const { position } = await this.ask('look', () => store.look(at))
    const cursor = new Map([[at.partition, this.position.id]])
    const limit = random.between(1, 20)
    const read = await this.ask('read', () => log.read(at.topic, cursor, { limit }))
    const page = (read.get(at.partition) ?? []).filter((one) => one.position.seq <= position.seq)
    const last = page.at(-1)?.position
    if (!last) return
    const touched = [...new Set(page.map(({ event }) => event.subject))]
    const ahead = this.ahead.filter((seq) => seq > last.seq)
    await this.take(touched, { id: last.id, seq: last.seq }, ahead)
  }

  /** Folds keys anew up to a place that the live generation has settled, and commits them. */
  async take(touched: readonly string[], position: Reached, ahead: readonly number[]): Promise<void> {
    await this.commit(await this.#folded(touched, position, ahead), position, ahead)
  }

  async #folded(
    touched: readonly string[],
    { seq: to }: Reached,
    ahead: readonly number[],
  ): Promise<Content> {
    const { store, judge } = this.world
    const decisions = await decisionsOn(this.process, this.world, touched)
    const before = await this.ask('loadStates', () => store.loadStates(this.at, touched))
    const set = await this.ask('dueTimers', () => store.dueTimers(this.at, ever))
    const states: StateWrite[] = []
    const defers: DeferredList[] = []
    const timers: TimerSetting[] = []
    for (const [place, decided] of decisions.entries()) {
      const { key } = decided.stored
      const settled = (seq: number) => seq > judge.base && (seq <= to || ahead.includes(seq))
      const { state, seq, dueMs, out } = foldHistory(decided, settled)
      const stored = before[place]
      const write = writeOf(key, seq, state, dueMs)
      if (seq > 0 && write.state !== stored?.state?.state) states.push(write)
      if (out.length > 0 || (stored?.deferred.length ?? 0) > 0) defers.push({ key, events: out })
      const known = set.timers.find((one) => one.key === key)?.dueMs
      if (known !== dueMs) timers.push({ key, name: 'w', dueMs })
    }
    return { states, defers, timers }
  }

  /** Fires timers that are due: in a frozen partition, where nobody else does. */
  async fireDue(): Promise<void> {
    const { random, store, nowMs, at } = this.world
    const { timers } = await this.ask('dueTimers', () => store.dueTimers(this.at, nowMs, 3))
    const due = timers.filter(() => random.chance(0.9))
    const [ours, lives] = [
      await this.ask('loadStates', () =>
        store.loadStates(
          this.at,
          due.map(({ key }) => key),
        ),
      ),
      await this.ask('loadStates', () =>
        store.loadStates(
          at,
          due.map(({ key }) => key),
        ),
      ),
    ]
    const states: StateWrite[] = []
    const firings: Firing[] = []
    for (const [place, timer] of due.entries()) {
      const record = ours[place]?.state
      // A timer of a parked key lines up behind it.
      if (!record || lives[place]?.parked) continue
      const state = foldedFiring(JSON.parse(record.state) as Folded, timer.dueMs)
      states.push(writeOf(timer.key, record.seq, state, undefined))
      firings.push({ ...timer, afterSeq: record.seq })
    }
    if (firings.length > 0) await this.commit({ states, firings }, this.position, this.ahead)
  }

  /** Sends a commit, and sends it again, the same one, while nobody knows what became of it. */
  async commit(content: Content, position: Reached, ahead: readonly number[]): Promise<void> {
    const { store } = this.world
    const commit: Commit = { token: this.token, n: this.n + 1, position, ahead, dead: [], ...content }
    const { status } = await this.insist(`build ${commit.n}`, () => store.commit(this.at, commit))
    if (status === 'fenced') {
      this.over = true
      return
    }
    this.n = commit.n
    this.position = position
    this.ahead = ahead
  }

  async #renew(): Promise<void> {
    const { store, leaseMs } = this.world
    const { token, n } = this
    const renew = () => store.renew(this.at, { token, n }, leaseMs)
    if ((await this.process.call('renew', renew, 'commit.unknown')).status === 'fenced') this.over = true
  }

  async #release(): Promise<void> {
    const { store } = this.world
    this.over = true
    await this.process.call('release', () => store.release(this.at, this.token), 'commit.unknown')
  }

  async #giveUp(): Promise<void> {
    const { store } = this.world
    await this.#release()
    await this.process.call('dropGeneration', () => store.dropGeneration(this.at), 'commit.unknown', this.at)
  }

  /** Asks again while nobody knows what became of it. */
  async insist<T>(what: string, act: () => Promise<T>, content?: unknown): Promise<T> {
    for (;;) {
      try {
        return await this.process.call(what, act, 'commit.unknown', content)
      } catch (error) {
        if (!(error instanceof MillraceError && error.code === 'commit.unknown')) throw error
      }
    }
  }

  ask<T>(what: string, act: () => Promise<T>): Promise<T> {
    return this.process.call(what, act, 'log.unavailable')
  }
}

function writeOf(key: string, seq: number, state: Folded, dueMs: number | undefined): StateWrite {
  const ops = dueMs === undefined ? '' : JSON.stringify({ w: { timer: {} } })
  return { key, version: 1, seq, state: JSON.stringify(state), ops }
}
