import type {
  Building,
  Commit,
  CommitResult,
  FreezeResult,
  GroupAudit,
  Lease,
  StoredKey,
  SwitchResult,
} from '@millrace/processor'
import { type Folded, foldedFiring, nothingFolded } from './act.ts'
import type { Judge } from './judge.ts'
import { LeaseJudge } from './lease-judge.ts'
import { demand } from './story.ts'

const once = 'guarantee 5, exactly once'
const fence = 'guarantee 6, zombies are fenced'
const kept = 'guarantee 8, nothing disappears'
const nothingOut = 'a replay carries nothing out'
const whole = 'each partition has the old or the new generation whole'

/** Follows one generation beside the live one: its lease, its commits, and the states that it has folded. */
class BuildingJudge extends LeaseJudge {
  readonly states = new Map<string, Folded>()
  /** Timers that it has fired itself. */
  readonly fired: { readonly key: string; readonly dueMs: number }[] = []

  committed(commit: Commit, result: CommitResult, live: LeaseJudge): void {
    if (!this.takes(commit, result)) return
    const { dead, outbox = [], effects = [], withheld = [], facts = [], states = [], firings = [] } = commit
    const out = [dead, outbox, effects, withheld, facts].reduce((sum, list) => sum + list.length, 0)
    demand(out === 0, nothingOut, () => `commit ${commit.n} of a replay has ${out} parts that go out`)
    const { settled } = this.moves(commit)
    for (const seq of settled)
      demand(
        seq <= live.position || live.ahead.includes(seq),
        'a replay is never ahead of the live generation',
        () => `it has taken in event ${seq}, the live one is at ${live.position}`,
      )
    for (const change of states)
      if ('removed' in change) this.states.delete(change.key)
      else this.states.set(change.key, JSON.parse(change.state) as Folded)
    this.fired.push(...firings.map(({ key, dueMs }) => ({ key, dueMs })))
  }
}

/** Watches the calls between the live generation of a group and those that are built beside it. */
export class GenerationJudge {
  readonly #live: Judge
  readonly #built = new Map<number, BuildingJudge>()
  /** Number of the live one. */
  number = 0

  constructor(live: Judge) {
    this.#live = live
  }

  /** The judge of a generation that is built. */
  of(generation: number): BuildingJudge {
    const known = this.#built.get(generation)
    if (known) return known
    const fresh = new BuildingJudge()
    this.#built.set(generation, fresh)
    return fresh
  }

  /** Numbers of those that somebody has begun. */
  get begun(): readonly number[] {
    return [...this.#built.keys()]
  }

  frozen(
    { generation, token, n }: Building,
    request: { readonly member: string; readonly leaseMs: number; readonly most: number },
    result: FreezeResult,
    nowMs: number,
  ): void {
    this.#count(`freeze ${result.status}`)
    const built = this.of(generation)
    const holds = built.holds(token) && built.n === n
    demand(
      (result.status !== 'fenced') === holds,
      fence,
      () => `${holds ? 'the owner' : 'a zombie'} of generation ${generation} came to "${result.status}"`,
    )
    if (result.status === 'fenced') return
    const behind = this.#live.position - built.position > request.most
    demand(
      (result.status === 'behind') === behind,
      'a live partition is taken for a generation that is near',
      () => `${built.position} of ${this.#live.position} came to "${result.status}"`,
    )
    if (result.status === 'frozen') this.#live.seized(request.member, request.leaseMs, result.lease, nowMs)
  }

  switched(
    lease: Pick<Lease, 'token' | 'n'>,
    { generation, token, n }: Building,
    { status }: SwitchResult,
  ): void {
    this.#count(`switch ${status}`)
    const live = this.#live
    const built = this.of(generation)
    const before = generation <= this.number
    const holds = live.holds(lease.token) && live.n === lease.n && built.holds(token) && built.n === n
    const equal = live.position === built.position && live.ahead.join() === built.ahead.join()
    const expected = before ? 'already' : !holds ? 'fenced' : equal ? 'switched' : 'apart'
    demand(status === expected, fence, () => `a switch that is ${expected} came to "${status}"`)
    if (status !== 'switched') return
    if (built.fired.length > 0) this.#count('switch with firings of its own')
    const after = new Map(live.folds.states)
    for (const { key, dueMs } of built.fired)
      after.set(key, foldedFiring(after.get(key) ?? nothingFolded, dueMs))
    const [found, wanted] = [textOf(built.states), textOf(after)]
    demand(found === wanted, once, () => `generation ${generation} holds ${found}, handled were ${wanted}`)
    live.folds.replaced(after)
    live.letGo()
    this.number = generation
    this.#built.delete(generation)
  }

  /** What is stored under the names of the live generation is what it has folded. */
  read(stored: readonly StoredKey[]): void {
    const all = stored.flatMap(({ key, state }) => (state ? [[key, JSON.parse(state.state)] as const] : []))
    const [found, wanted] = [textOf(new Map(all)), textOf(this.#live.folds.states)]
    demand(found === wanted, whole, () => `stored are ${found}, folded were ${wanted}`)
  }

  audited(generation: number, { differences }: GroupAudit): void {
    demand(differences.length === 0, kept, () => `generation ${generation}: ${differences.join('; ')}`)
  }

  dropped(generation: number, result: 'dropped' | 'held', nowMs: number): void {
    this.#count(`generation ${result}`)
    const held = nowMs < this.of(generation).untilMs
    demand(
      (result === 'held') === held,
      'a generation at work is not dropped',
      () => `generation ${generation} is ${held ? 'held' : 'free'} and was ${result}`,
    )
    if (result === 'dropped') this.#built.delete(generation)
  }

  /** Everything that was half done is finished or given up. @param live What the record says. */
  over(live: number): void {
    demand(
      live === this.number,
      whole,
      () => `the live generation is ${live}, switched was to ${this.number}`,
    )
    const left = this.begun.filter((number) => this.of(number).n > 0)
    demand(left.length === 0, whole, () => `of generation ${left.join()} something is left`)
  }

  #count(end: string): void {
    const { ends } = this.#live
    ends.set(end, (ends.get(end) ?? 0) + 1)
  }
}

function textOf(states: ReadonlyMap<string, Folded>): string {
  const all = [...states].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return all.map(([key, { handled, allowed }]) => `${key}${allowed ? '+' : ''}: ${handled.join()}`).join('; ')
}
