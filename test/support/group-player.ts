import { beginning, type Recorded } from '@millrace/log'
import type {
  Commit,
  DeadLetter,
  GroupPartition,
  GroupStore,
  LineGrowth,
  NotedFact,
  Park,
  StoryFact,
  Unpark,
} from '@millrace/processor'
import { deferral, emitted, intent, letter, park, stateOf, taken } from '@millrace/processor/contract'
import type { CommitPlan } from './group-history.ts'

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }
type Draft = Mutable<Omit<Commit, 'token'>>
/** Head and line of each parked key. */
type Lines = ReadonlyMap<string, readonly number[]>

/** A commit without its token, and what parked keys have when it stands. */
export interface Planned {
  readonly commit: Omit<Commit, 'token'>
  readonly lines: Lines
}

/**
 * Fits the plans of a history to what a group has: what it says is settled, parked, deferred and dead comes from the
 * group itself, so that most commits stand, and what a plan does wrong is wrong in one way.
 */
export class GroupPlayer {
  readonly #store: GroupStore
  readonly #at: GroupPartition
  /** Events in line behind each parked head, in order. */
  #lines: Lines = new Map()

  constructor(store: GroupStore, at: GroupPartition) {
    this.#store = store
    this.#at = at
  }

  /** The commit that a plan comes to; its token is the caller's. */
  async plan(plan: CommitPlan, events: readonly Recorded[]): Promise<Planned> {
    const { position, ahead, n } = await this.#store.look(this.#at)
    const settled = new Set(ahead)
    const parts = new Parts(this.#lines, await this.#deferred())
    let done = 0
    for (const [index, head] of plan.heads.entries()) done += parts.head(index, head)
    for (const [index, waiting] of plan.waiting.entries()) done += parts.waiting(index, waiting)
    const { items: requeued } = await this.#store.requeued(this.#at)
    const late = requeued.slice(0, plan.late.length)
    for (const [index, { seq, id, key }] of late.entries())
      if (plan.late[index] === 'dead') parts.dead.push(letter(seq, id, key))
      else done += 1
    const open = events.filter(({ position: { seq } }) => seq > position.seq && !settled.has(seq))
    for (const [index, fate] of plan.fates.entries()) {
      const { event, position: place } = open[index] ?? {}
      if (!event || !place || fate === 'leave') continue
      settled.add(place.seq)
      if (parts.isParked(event.subject)) parts.lineUp(event.subject, place.seq)
      else if (fate === 'park') parts.park(event.subject, place.seq)
      else if (fate === 'defer') parts.defer(event.subject, place.seq)
      else if (fate === 'dead') parts.dead.push(letter(place.seq, place.id, event.subject))
      else done += 1
    }
    const lateRuns = late
      .filter((_, index) => plan.late[index] !== 'dead')
      .map(({ seq: one }, index) => ({ seq: one, afterSeq: one + index }))
    let { seq } = position
    while (settled.has(seq + 1)) seq += 1
    const draft: Draft = {
      n: n + 1,
      position: { id: events[seq - 1]?.position.id ?? beginning, seq },
      ahead: [...settled].filter((one) => one > seq).toSorted((a, b) => a - b),
      dead: parts.dead,
      done,
      ...(late.length > 0 ? { late: late.map(({ seq: one }) => one) } : {}),
      ...(lateRuns.length > 0 ? { lateRuns } : {}),
      ...(plan.late.length > 0 ? { heeded: [1, 2, 3, 4].map((one) => ({ seq: one, id: `r1-${one}` })) } : {}),
      ...parts.lists(n + 1, plan.markMs),
    }
    await this.#addRecords(draft, plan, seq)
    const commit = mistaken(draft, plan.mistake, { events, lines: this.#lines })
    return { commit, lines: parts.lines }
  }

  /** The commit of a plan stood: its lines are the group's. */
  committed({ lines }: Planned): void {
    this.#lines = lines
  }

  async #deferred(): Promise<ReadonlyMap<string, readonly number[]>> {
    const { items } = await this.#store.deferredKeys(this.#at)
    return new Map(items.map(({ key, events }) => [key, events.map(({ seq }) => seq)]))
  }

  async #addRecords(draft: Draft, plan: CommitPlan, seq: number): Promise<void> {
    draft.states = plan.states.map(({ key, removed }) =>
      removed ? { key, removed } : stateOf(key, seq, { n: draft.n, name: 'Zoë "\\' }),
    )
    draft.outbox = emitted(plan.emits, draft.n)
    draft.effects = plan.effects.map((id) => intent(id, 'a', seq))
    if (plan.withheld.length > 0) draft.withheld = plan.withheld.map((id) => intent(id, 'b', seq))
    if (plan.migrations.length > 0) draft.migrations = plan.migrations.map((key) => taken(key, seq))
    draft.timers = plan.timers
    draft.facts = factsOf(draft)
    if (plan.effects.length > 0) draft.settled = { atMs: 1_700_000_000_000 + draft.n, member: 'one' }
    const { timers } = await this.#store.dueTimers(this.#at, Number.MAX_SAFE_INTEGER)
    draft.firings = timers.slice(0, plan.fires).map((timer) => ({ ...timer, afterSeq: seq }))
  }
}

/** What a commit tells of: each of its dead letters twice, and the first event of what it settles. */
function factsOf({ dead, n, position }: Draft): readonly NotedFact[] {
  const fact = (why: string): StoryFact => ({ what: 'deferred', atMs: n, member: 'one', why })
  const first = position.seq > 0 ? [{ seq: 1, fact: fact('Zoë "\\') }] : []
  return [...dead.flatMap(({ seq }) => [1, 2].map((no) => ({ seq, fact: fact(`${n}/${no}`) }))), ...first]
}

/** The lists of one commit, as they come about. */
class Parts {
  readonly dead: DeadLetter[] = []
  readonly lines: Map<string, readonly number[]>
  readonly #touched = new Set<string>()
  /** Those that the commit says nothing of but that their lines are longer. */
  readonly #grown = new Set<string>()
  /** Those whose heads have failed again; every other one waits for an operator from then on. */
  readonly #tried = new Set<string>()
  readonly #unparks: Unpark[] = []
  readonly #deferred: Map<string, readonly number[]>
  readonly #rewritten = new Set<string>()
  readonly #lastOf = new Map<string, number>()

  constructor(lines: Lines, deferred: ReadonlyMap<string, readonly number[]>) {
    this.lines = new Map(lines)
    this.#deferred = new Map(deferred)
    for (const [key, line] of lines) this.#lastOf.set(key, line.at(-1) ?? 0)
  }

  isParked(key: string): boolean {
    return this.lines.has(key) || this.#unparks.some((one) => one.key === key)
  }

  /** Settles the head of the parked key at this place; answers how many events are done by that. */
  head(index: number, what: 'done' | 'dead' | 'again'): number {
    const [key, line] = [...this.lines][index] ?? []
    if (key === undefined || line === undefined || line[0] === undefined) return 0
    this.#touched.add(key)
    if (what === 'again') {
      this.#tried.add(key)
      return 0
    }
    if (line.length === 1) {
      this.lines.delete(key)
      this.#touched.delete(key)
      this.#unparks.push({ key, last: this.#lastOf.get(key) ?? 0 })
    } else this.lines.set(key, line.slice(1))
    if (what === 'dead') this.dead.push(letter(line[0], `1-${line[0]}`, key))
    return what === 'done' ? 1 : 0
  }

  waiting(index: number, what: 'done' | 'dead' | 'stay'): number {
    const [key, seqs] = [...this.#deferred][index] ?? []
    const [first, ...rest] = seqs ?? []
    if (key === undefined || first === undefined) return 0
    this.#rewritten.add(key)
    if (what === 'stay') return 0
    this.#deferred.set(key, rest)
    if (what === 'dead') this.dead.push(letter(first, `1-${first}`, key))
    return what === 'done' ? 1 : 0
  }

  park(key: string, seq: number): void {
    this.lines.set(key, [seq])
    this.#touched.add(key)
  }

  /** A key that this commit unparks is parked no more: its next event is a head of its own, in a later commit. */
  lineUp(key: string, seq: number): void {
    const line = this.lines.get(key)
    if (line) {
      this.lines.set(key, [...line, seq])
      if (this.#lastOf.has(key) && seq % 2 === 0) this.#grown.add(key)
      else this.#touched.add(key)
    } else this.defer(key, seq)
  }

  defer(key: string, seq: number): void {
    this.#deferred.set(key, [...(this.#deferred.get(key) ?? []), seq])
    this.#rewritten.add(key)
  }

  lists(
    attempts: number,
    markMs: number | undefined,
  ): Pick<Commit, 'parks' | 'unparks' | 'lines' | 'defers'> {
    const lines = [...this.#grown].flatMap((key): LineGrowth[] => {
      const line = this.lines.get(key)
      const last = line?.at(-1)
      return line === undefined || last === undefined || this.#touched.has(key)
        ? []
        : [{ key, last, lined: line.length - 1 }]
    })
    const parks = [...this.#touched].flatMap((key): Park[] => {
      const line = this.lines.get(key)
      const head = line?.[0]
      return line === undefined || head === undefined
        ? []
        : [this.#attempted(park(key, head, line.at(-1), line.length - 1, attempts), markMs)]
    })
    const defers = [...this.#rewritten].map((key) => ({
      key,
      events: (this.#deferred.get(key) ?? []).toSorted((a, b) => a - b).map((seq) => deferral(seq)),
    }))
    return { parks, unparks: this.#unparks, lines, defers }
  }

  #attempted(made: Park, markMs: number | undefined): Park {
    if (!this.#tried.has(made.key)) return made
    const why = made.head % 2 === 0 ? 'operator' : 'retry'
    const note = { ...made.note, why } as const
    return { ...made, note, tried: true, ...(markMs === undefined ? {} : { markMs }) }
  }
}

function mistaken(
  draft: Draft,
  mistake: CommitPlan['mistake'],
  given: { events: readonly Recorded[]; lines: Lines },
): Draft {
  const { events, lines } = given
  switch (mistake) {
    case 'none':
      return draft
    case 'uncounted': {
      delete draft.done
      return draft
    }
    case 'number before':
      return { ...draft, n: draft.n - 2 }
    case 'number skipped':
      return { ...draft, n: draft.n + 1 }
    case 'one too many':
      return { ...draft, done: (draft.done ?? 0) + 1 }
    case 'one too few':
      return { ...draft, done: Math.max(0, (draft.done ?? 0) - 1) }
    case 'forgets':
      return { ...draft, ahead: draft.ahead.slice(1) }
    case 'goes back': {
      const seq = Math.max(0, draft.position.seq - 1)
      return { ...draft, position: { id: events[seq - 1]?.position.id ?? beginning, seq } }
    }
    case 'wrong firing':
      return {
        ...draft,
        firings: [
          { key: 'a', name: 'v', dueMs: 77, afterSeq: 0 },
          ...(draft.firings ?? []).filter(({ key, name }) => key !== 'a' || name !== 'v'),
        ],
      }
    case 'unparks too early': {
      const [key, line] =
        [...lines].find(([one]) => !draft.unparks?.some((unpark) => unpark.key === one)) ?? []
      if (key === undefined || line?.[0] === undefined) return draft
      return {
        ...draft,
        parks: (draft.parks ?? []).filter((one) => one.key !== key),
        unparks: [...(draft.unparks ?? []), { key, last: line[0] }],
      }
    }
  }
}
