import type { Commit, CommitResult, EffectChange, EffectChangeResult, GroupAudit } from '@millrace/processor'
import type { Lease, Renewal, RuleRequest, RuleResult, StateDrop, StateDropResult } from '@millrace/processor'
import type { Act, Asking } from './act.ts'
import { ChannelJudge } from './channel-judge.ts'
import { EffectJudge } from './effect-judge.ts'
import { FactJudge } from './fact-judge.ts'
import { FoldJudge } from './fold-judge.ts'
import { type Finished, type Place, PlaceJudge } from './place-judge.ts'
import type { Reading } from './reading.ts'
import { RulingJudge } from './ruling-judge.ts'
import { ShadowJudge } from './shadow-judge.ts'
import { demand } from './story.ts'

const once = 'guarantee 5, exactly once'
const fence = 'guarantee 6, zombies are fenced'
const kept = 'guarantee 8, nothing disappears'
const oneKey = 'guarantee 7, one bad event stops its key at most'
const leases = 'a lease is not taken from a live holder'

/**
 * Watches every call that is carried out, and holds what must be true against it. It knows the calls and the log and
 * nothing of how a store works.
 */
export class Judge {
  readonly #reading: Reading
  /** How often commits and confirmations came to which end. */
  readonly ends = new Map<string, number>()
  position = 0
  ahead: readonly number[] = []
  token = ''
  n = 0
  base = 0
  #member = ''
  #untilMs = 0
  readonly events = new PlaceJudge()
  readonly folds: FoldJudge
  readonly rulings = new RulingJudge()
  readonly channels = new ChannelJudge()
  readonly effects = new EffectJudge()
  readonly facts = new FactJudge()
  readonly shadow = new ShadowJudge()

  constructor(reading: Reading) {
    this.#reading = reading
    this.folds = new FoldJudge(reading)
  }

  get askings(): ReadonlyMap<number, Asking> {
    return this.events.askings
  }

  get places(): ReadonlyMap<number, Place> {
    return this.events.places
  }

  /** Head and line of each parked key. */
  get lines(): ReadonlyMap<string, readonly number[]> {
    return this.events.lines
  }

  appended(asking: Asking): void {
    this.events.appended(asking)
  }

  acquired(member: string, leaseMs: number, lease: Lease | undefined, nowMs: number): void {
    if (!lease) return
    demand(
      nowMs >= this.#untilMs || member === this.#member,
      leases,
      () => `${member} took it from ${this.#member}`,
    )
    this.seized(member, leaseMs, lease, nowMs)
  }

  /** Whoever seizes a lease asks nobody. */
  seized(member: string, leaseMs: number, lease: Lease, nowMs: number): void {
    demand(lease.token !== this.token, fence, () => `the token ${lease.token} was handed out before`)
    const { position, n, ahead } = lease
    if (this.n === 0 && this.position < position.seq) this.base = this.position = position.seq
    demand(
      position.seq === this.position && n === this.n,
      once,
      () => `the lease begins at ${position.seq}, n ${n}`,
    )
    demand(ahead.join() === this.ahead.join(), once, () => `the lease says that ${ahead.join()} are ahead`)
    this.token = lease.token
    this.#member = member
    this.#untilMs = nowMs + leaseMs
  }

  renewed(token: string, n: number, { status }: Renewal, untilMs: number): void {
    this.#count(`renew ${status}`)
    if (status === 'fenced') return
    demand(token === this.token && token !== '', fence, () => 'a stale token renewed')
    demand(n === this.n, fence, () => `a member that knows of commit ${n} renewed after commit ${this.n}`)
    this.#untilMs = untilMs
  }

  released(token: string, result: 'released' | 'fenced'): void {
    if (result === 'fenced') return
    demand(token === this.token && token !== '', fence, () => 'a stale token released')
    this.token = ''
    this.#untilMs = 0
  }

  committed(commit: Commit, result: CommitResult): void {
    const { status } = result
    this.#count(`commit ${status}`)
    const holds = commit.token === this.token && commit.token !== ''
    if (status === 'fenced') {
      const stands = holds && (commit.n === this.n + 1 || commit.n === this.n)
      demand(!stands, once, () => `commit ${commit.n} of the holder was fenced`)
      return
    }
    demand(holds, fence, () => `a stale token came to "${status}" with commit ${commit.n}`)
    const expected = status === 'already' ? this.n : this.n + 1
    demand(commit.n === expected, once, () => `commit ${commit.n} came to "${status}" after commit ${this.n}`)
    if (status === 'committed') this.#apply(commit, result.numbers)
  }

  #apply(commit: Commit, numbers: readonly number[]): void {
    this.n = commit.n
    const settledBefore = new Set([...this.#upTo(this.position), ...this.ahead])
    const settled = new Set([...this.#upTo(commit.position.seq), ...commit.ahead])
    for (const seq of settledBefore)
      demand(settled.has(seq), kept, () => `event ${seq} was settled and is not any more`)
    this.position = commit.position.seq
    this.ahead = commit.ahead
    const given = commit.dead.filter(({ seq }) => this.places.get(seq) !== 'dead')
    const left = [...settled].filter((seq) => !settledBefore.has(seq)).toSorted((a, b) => a - b)
    const finished = this.events.apply(commit, left, (seq) => seq <= this.base || settled.has(seq))
    const actOf = (seq: number) => this.rulings.actOf(this.events.asking(seq), commit)
    for (const { seq } of given)
      demand(
        mayFail(actOf(seq)),
        oneKey,
        () => `event ${seq} was given up although nothing was wrong with it`,
      )
    const { done, waits } = this.folds.apply(commit, finished, this.askings, actOf)
    this.#applyRecords(commit, numbers, actsOf(done, actOf), waits)
    this.rulings.committed(commit)
    this.facts.committed(commit)
  }

  #applyRecords(
    { outbox = [], effects = [], withheld = [] }: Commit,
    numbers: readonly number[],
    acts: readonly Done[],
    waits: readonly string[],
  ): void {
    const causes = outbox.flatMap(({ events }) => events.map((event) => this.#reading.causeOf(event)))
    const expected = acts.flatMap(({ key, seq, act }) => (act.do === 'emit' ? [`${key}:${seq}`] : []))
    demand(
      causes.toSorted().join() === [...expected, ...waits].toSorted().join(),
      once,
      () => `emitted were ${causes.join()}`,
    )
    for (const [at, draft] of outbox.entries()) this.channels.emitted(draft, numbers[at])
    const ids = [...effects, ...withheld].map(({ idempotencyKey }) => idempotencyKey)
    const asked = acts.flatMap(({ act }) => (act.do === 'effect' ? [act.id] : []))
    demand(
      ids.length === asked.length && (!this.#reading.namesEffects || sameNames(ids, asked)),
      once,
      () => `the effects ${ids.join()} are recorded, asked for were ${asked.join()}`,
    )
    for (const { idempotencyKey } of effects) this.effects.record(idempotencyKey)
    for (const { idempotencyKey } of withheld) this.effects.withhold(idempotencyKey)
  }

  confirmed(
    token: string,
    changes: readonly EffectChange[],
    result: 'fenced' | readonly EffectChangeResult[],
  ): void {
    const holds = token === this.token && token !== ''
    this.#count(`confirm ${result === 'fenced' ? result : 'heard'}`)
    demand(
      (result !== 'fenced') === holds,
      fence,
      () => `a ${holds ? 'valid' : 'stale'} token came to "${String(result)}"`,
    )
    if (result === 'fenced') return
    this.effects.changed(changes, result)
    this.facts.changed(changes, result)
  }

  /** Records were dropped by the holder of the lease, each of them once. */
  dropped(token: string, { keys, history }: StateDrop, result: StateDropResult): void {
    this.#count(`drop ${result.status}`)
    const holds = token === this.token && token !== ''
    demand(
      (result.status !== 'fenced') === holds,
      fence,
      () => `a ${holds ? 'valid' : 'stale'} token came to "${result.status}" with a drop`,
    )
    if (result.status === 'fenced') return
    const gone = keys.map((key) => this.folds.dropped(key, history))
    const records = gone.reduce((sum, one) => sum + one.records, 0)
    const migrations = gone.reduce((sum, one) => sum + one.migrations, 0)
    demand(
      result.records === records && result.migrations === migrations,
      once,
      () => `dropped are ${result.records} and ${result.migrations}, there were ${records} and ${migrations}`,
    )
  }

  ruled(request: RuleRequest, result: RuleResult): void {
    this.#count(`rule ${result.status}`)
    if (request.dryRun === true) return
    this.events.ruled(request, result, Math.max(this.position, this.ahead.at(-1) ?? 0))
    this.rulings.ruled(request, result)
  }

  audited(audit: GroupAudit): void {
    const { counters, unsettled, differences } = audit
    demand(differences.length === 0, kept, () => differences.join('; '))
    const { done, parked, deferred, dead, late, unsettled: left } = this.events.counts(this.base)
    const expected = [done, parked, deferred, dead, late, left]
    const found = [
      counters.done,
      counters.parked + counters.lined,
      counters.deferred,
      counters.dead,
      counters.requeued,
      unsettled,
    ]
    demand(
      found.join() === expected.join(),
      kept,
      () => `counted are ${found.join()}, seen were ${expected.join()}`,
    )
    this.effects.audited(audit)
  }

  #upTo(seq: number): number[] {
    return Array.from({ length: Math.max(0, seq - this.base) }, (_, at) => this.base + at + 1)
  }

  #count(end: string): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
  }
}

function mayFail(act: Act | 'ignored'): boolean {
  return act !== 'ignored' && (act.do === 'dead' || act.do === 'fail')
}

/** An event that was handled to its end, and what it asked for. */
interface Done {
  readonly key: string
  readonly seq: number
  readonly act: Act
}

function actsOf(done: Finished, actOf: (seq: number) => Act | 'ignored'): readonly Done[] {
  return [...done].flatMap(([key, seqs]) =>
    seqs.flatMap((seq) => {
      const act = actOf(seq)
      return act === 'ignored' ? [] : [{ key, seq, act }]
    }),
  )
}

function sameNames(ids: readonly string[], asked: readonly string[]): boolean {
  return ids.toSorted().join() === asked.toSorted().join()
}
