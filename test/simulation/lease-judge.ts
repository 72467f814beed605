import type { Commit, CommitResult, Lease, Renewal } from '@millrace/processor'
import { demand } from './story.ts'

const once = 'guarantee 5, exactly once'
const fence = 'guarantee 6, zombies are fenced'
const kept = 'guarantee 8, nothing disappears'
const leases = 'a lease is not taken from a live holder'

/** Holds a lease, and the numbers of the commits under it, against what was handed out before. */
export class LeaseJudge {
  /** How often commits and confirmations came to which end. */
  readonly ends = new Map<string, number>()
  position = 0
  ahead: readonly number[] = []
  token = ''
  n = 0
  base = 0
  #member = ''
  untilMs = 0

  acquired(member: string, leaseMs: number, lease: Lease | undefined, nowMs: number): void {
    if (!lease) return
    demand(
      nowMs >= this.untilMs || member === this.#member,
      leases,
      () => `${member} took it from ${this.#member}`,
    )
    this.seized(member, leaseMs, lease, nowMs)
  }

  /** Whoever seizes a lease asks nobody. */
  seized(
    member: string,
    leaseMs: number,
    lease: Pick<Lease, 'token' | 'position' | 'n' | 'ahead'>,
    nowMs: number,
  ): void {
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
    this.untilMs = nowMs + leaseMs
  }

  renewed(token: string, n: number, { status }: Renewal, untilMs: number): void {
    this.count(`renew ${status}`)
    if (status === 'fenced') return
    demand(this.holds(token), fence, () => 'a stale token renewed')
    demand(n === this.n, fence, () => `a member that knows of commit ${n} renewed after commit ${this.n}`)
    this.untilMs = untilMs
  }

  released(token: string, result: 'released' | 'fenced'): void {
    if (result === 'fenced') return
    demand(this.holds(token), fence, () => 'a stale token released')
    this.letGo()
  }

  letGo(): void {
    this.token = ''
    this.untilMs = 0
  }

  holds(token: string): boolean {
    return token === this.token && token !== ''
  }

  /** Whether a commit is true from now on. */
  protected takes(commit: Commit, { status }: CommitResult): boolean {
    this.count(`commit ${status}`)
    const holds = this.holds(commit.token)
    if (status === 'fenced') {
      const stands = holds && (commit.n === this.n + 1 || commit.n === this.n)
      demand(!stands, once, () => `commit ${commit.n} of the holder was fenced`)
      return false
    }
    demand(holds, fence, () => `a stale token came to "${status}" with commit ${commit.n}`)
    const expected = status === 'already' ? this.n : this.n + 1
    demand(commit.n === expected, once, () => `commit ${commit.n} came to "${status}" after commit ${this.n}`)
    return status === 'committed'
  }

  /** A commit moves on; answers what is settled with it, and what was before. */
  protected moves(commit: Commit): { readonly settled: Set<number>; readonly before: Set<number> } {
    this.n = commit.n
    const before = new Set([...this.#upTo(this.position), ...this.ahead])
    const settled = new Set([...this.#upTo(commit.position.seq), ...commit.ahead])
    for (const seq of before)
      demand(settled.has(seq), kept, () => `event ${seq} was settled and is not any more`)
    this.position = commit.position.seq
    this.ahead = commit.ahead
    return { settled, before }
  }

  protected count(end: string): void {
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1)
  }

  #upTo(seq: number): number[] {
    return Array.from({ length: Math.max(0, seq - this.base) }, (_, at) => this.base + at + 1)
  }
}
