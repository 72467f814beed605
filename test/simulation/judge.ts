import type { Commit, CommitResult, EffectChange, EffectChangeResult, GroupAudit } from '@millrace/processor'
import type { RuleRequest, RuleResult, StateDrop, StateDropResult } from '@millrace/processor'
import type { Act, Asking } from './act.ts'
import { ChannelJudge } from './channel-judge.ts'
import { EffectJudge } from './effect-judge.ts'
import { FactJudge } from './fact-judge.ts'
import { FoldJudge } from './fold-judge.ts'
import { LeaseJudge } from './lease-judge.ts'
import { type Finished, type Place, PlaceJudge } from './place-judge.ts'
import type { Reading } from './reading.ts'
import { RulingJudge } from './ruling-judge.ts'
import { ShadowJudge } from './shadow-judge.ts'
import { demand } from './story.ts'

const once = 'guarantee 5, exactly once'
const fence = 'guarantee 6, zombies are fenced'
const kept = 'guarantee 8, nothing disappears'
const oneKey = 'guarantee 7, one bad event stops its key at most'

/**
 * Watches every call that is carried out, and holds what must be true against it. It knows the calls and the log and
 * nothing of how a store works.
 */
export class Judge extends LeaseJudge {
  readonly #reading: Reading
  readonly events = new PlaceJudge()
  readonly folds: FoldJudge
  readonly rulings = new RulingJudge()
  readonly channels = new ChannelJudge()
  readonly effects = new EffectJudge()
  readonly facts = new FactJudge()
  readonly shadow = new ShadowJudge()

  constructor(reading: Reading) {
    super()
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

  committed(commit: Commit, result: CommitResult): void {
    if (this.takes(commit, result) && result.status === 'committed') this.#apply(commit, result.numbers)
  }

  #apply(commit: Commit, numbers: readonly number[]): void {
    const { settled, before } = this.moves(commit)
    const given = commit.dead.filter(({ seq }) => this.places.get(seq) !== 'dead')
    const left = [...settled].filter((seq) => !before.has(seq)).toSorted((a, b) => a - b)
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
    const holds = this.holds(token)
    this.count(`confirm ${result === 'fenced' ? result : 'heard'}`)
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
    this.count(`drop ${result.status}`)
    const holds = this.holds(token)
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
    this.count(`rule ${result.status}`)
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
