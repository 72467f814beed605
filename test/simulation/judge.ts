import type { Commit, CommitResult } from '@millrace/processor'
import type { EffectChange, EffectChangeResult } from '@millrace/processor'
import type { GroupAudit } from '@millrace/processor'
import type { Lease, Renewal } from '@millrace/processor'
import { type Asking, type Folded, nothingFolded } from './act.ts'
import { ChannelJudge } from './channel-judge.ts'
import { EffectJudge } from './effect-judge.ts'
import type { Reading } from './reading.ts'
import { demand } from './story.ts'

const order = 'guarantee 4, order per key'
const once = 'guarantee 5, exactly once'
const fence = 'guarantee 6, zombies are fenced'
const kept = 'guarantee 8, nothing disappears'
const leases = 'a lease is not taken from a live holder'

/** Where an event is, as far as the group is concerned. */
type Place = 'unsettled' | 'parked' | 'deferred' | 'dead' | 'done'

/**
 * Watches every call that is carried out, and holds what must be true against it. It knows the calls and the log and
 * nothing of how a store works.
 */
export class Judge {
  readonly #reading: Reading
  /** How often commits and confirmations came to which end. */
  readonly ends = new Map<string, number>()
  readonly askings = new Map<number, Asking>()
  readonly places = new Map<number, Place>()
  /** Head and line of each parked key. */
  readonly lines = new Map<string, readonly number[]>()
  readonly deferred = new Map<string, readonly number[]>()
  readonly states = new Map<string, Folded>()
  position = 0
  ahead: readonly number[] = []
  token = ''
  n = 0
  base = 0
  #member = ''
  #untilMs = 0
  readonly channels = new ChannelJudge()
  readonly effects = new EffectJudge()

  constructor(reading: Reading) {
    this.#reading = reading
  }

  appended(asking: Asking): void {
    this.askings.set(asking.seq, asking)
    this.places.set(asking.seq, 'unsettled')
  }

  acquired(member: string, leaseMs: number, lease: Lease | undefined, nowMs: number): void {
    if (!lease) return
    demand(
      nowMs >= this.#untilMs || member === this.#member,
      leases,
      () => `${member} took it from ${this.#member}`,
    )
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

  committed(commit: Commit, { status }: CommitResult): void {
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
    if (status === 'committed') this.#apply(commit)
  }

  #apply(commit: Commit): void {
    this.n = commit.n
    const settledBefore = new Set([...this.#upTo(this.position), ...this.ahead])
    const settled = new Set([...this.#upTo(commit.position.seq), ...commit.ahead])
    for (const seq of settledBefore)
      demand(settled.has(seq), kept, () => `event ${seq} was settled and is not any more`)
    this.position = commit.position.seq
    this.ahead = commit.ahead
    const left = [...settled].filter((seq) => !settledBefore.has(seq)).toSorted((a, b) => a - b)
    for (const seq of left) this.#inOrder(seq, settled)
    const done = new Map<string, number[]>()
    const finish = (seq: number) => {
      const place: Place = commit.dead.some((letter) => letter.seq === seq) ? 'dead' : 'done'
      const { key } = this.#asking(seq)
      if (place === 'done') done.set(key, [...(done.get(key) ?? []), seq])
      this.#move(seq, place)
    }
    this.#applyLines(commit, left, finish)
    this.#applyDeferred(commit, finish)
    for (const seq of left) if (this.places.get(seq) === 'unsettled') finish(seq)
    this.#applyRecords(commit, done, this.#applyStates(commit, done))
  }

  /** Of one key nothing may be settled before what is earlier. */
  #inOrder(seq: number, settled: ReadonlySet<number>): void {
    const { key } = this.#asking(seq)
    for (const [earlier, asking] of this.askings)
      demand(
        earlier >= seq || earlier <= this.base || asking.key !== key || settled.has(earlier),
        order,
        () => `event ${seq} of key ${key} was settled before event ${earlier}`,
      )
  }

  #applyLines(commit: Commit, left: readonly number[], finish: (seq: number) => void): void {
    const grown = (commit.lines ?? []).map((one) => ({ ...one, head: this.lines.get(one.key)?.[0] ?? 0 }))
    for (const { key, head, last, lined } of [...(commit.parks ?? []), ...grown]) {
      const before = this.lines.get(key) ?? []
      const fresh = left.filter((seq) => this.#asking(seq).key === key && seq >= head && seq <= last)
      const line = [...before.filter((seq) => seq >= head), ...fresh]
      demand(
        line[0] === head && line.at(-1) === last && line.length === lined + 1,
        order,
        () => `key ${key} is parked with ${line.join()}, its record says ${head} to ${last} and ${lined}`,
      )
      for (const seq of before) if (seq < head) this.#leave(seq, commit, finish)
      for (const seq of fresh) this.#move(seq, 'parked')
      this.lines.set(key, line)
    }
    for (const { key } of commit.unparks ?? []) {
      for (const seq of this.lines.get(key) ?? []) this.#leave(seq, commit, finish)
      this.lines.delete(key)
    }
  }

  /** What leaves a line is done, dead, or deferred now. */
  #leave(seq: number, commit: Commit, finish: (seq: number) => void): void {
    const { key } = this.#asking(seq)
    const list = commit.defers?.find((one) => one.key === key)
    if (!list?.events.some((event) => event.seq === seq)) finish(seq)
  }

  #applyDeferred(commit: Commit, finish: (seq: number) => void): void {
    for (const { key, events } of commit.defers ?? []) {
      const seqs = events.map(({ seq }) => seq)
      for (const seq of this.deferred.get(key) ?? []) if (!seqs.includes(seq)) finish(seq)
      for (const seq of seqs) if (this.places.get(seq) !== 'deferred') this.#move(seq, 'deferred')
      this.deferred.set(key, seqs)
    }
  }

  /** The state has been folded from just what was done, each event once, those that did not wait in order. */
  #applyStates(commit: Commit, done: ReadonlyMap<string, readonly number[]>): readonly string[] {
    const named = new Set<string>()
    const causes: string[] = []
    for (const change of commit.states ?? []) {
      if ('removed' in change) continue
      const { key } = change
      named.add(key)
      const before = this.states.get(key) ?? nothingFolded
      const after = JSON.parse(change.state) as Folded
      const news = after.handled.slice(before.handled.length)
      const old = after.handled.slice(0, before.handled.length)
      demand(old.join() === before.handled.join(), once, () => `the state of ${key} has another past`)
      const waits = news.filter((one) => one.startsWith('w'))
      this.#reading.waits(commit, key, waits)
      causes.push(...waits.map((one) => `${key}:${one}`))
      const expected = [...(done.get(key) ?? []).map(String), ...waits].toSorted()
      demand(
        news.toSorted().join() === expected.join(),
        once,
        () => `the state of ${key} folds ${news.join()}, done were ${expected.join()}`,
      )
      const plain = news.filter(
        (one) => this.askings.get(Number(one))?.act.do !== 'wait' && !one.startsWith('w'),
      )
      demand(
        plain.join() === plain.toSorted((a, b) => Number(a) - Number(b)).join(),
        order,
        () => `the state of ${key} folds ${plain.join()}`,
      )
      this.states.set(key, after)
    }
    for (const [key, seqs] of done)
      demand(named.has(key), once, () => `${seqs.join()} of ${key} are done without a state`)
    return causes
  }

  #applyRecords(
    commit: Commit,
    done: ReadonlyMap<string, readonly number[]>,
    waits: readonly string[],
  ): void {
    const causes = (commit.outbox ?? []).flatMap(({ events }) =>
      events.map((event) => this.#reading.causeOf(event)),
    )
    const expected = [...done].flatMap(([key, seqs]) =>
      seqs.filter((seq) => this.#asking(seq).act.do === 'emit').map((seq) => `${key}:${seq}`),
    )
    demand(
      causes.toSorted().join() === [...expected, ...waits].toSorted().join(),
      once,
      () => `emitted were ${causes.join()}`,
    )
    for (const draft of commit.outbox ?? []) this.channels.emitted(draft)
    for (const { idempotencyKey } of commit.effects ?? []) this.effects.record(idempotencyKey)
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
  }

  audited(audit: GroupAudit): void {
    const { counters, unsettled, differences } = audit
    demand(differences.length === 0, kept, () => differences.join('; '))
    const count = (place: Place) =>
      [...this.places].filter(([seq, at]) => seq > this.base && at === place).length
    const found = [
      counters.done,
      counters.parked + counters.lined,
      counters.deferred,
      counters.dead,
      unsettled,
    ]
    const expected = [count('done'), count('parked'), count('deferred'), count('dead'), count('unsettled')]
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

  #asking(seq: number): Asking {
    const found = this.askings.get(seq)
    demand(found !== undefined, kept, () => `event ${seq} was settled and never appended`)
    return found
  }

  #move(seq: number, to: Place): void {
    const from = this.places.get(seq)
    const open = from === 'unsettled' || from === 'parked' || from === 'deferred'
    demand(open, once, () => `event ${seq} is ${from} and became ${to}`)
    this.places.set(seq, to)
  }

  #count(end: string): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
  }
}
