import type { Topic } from '@millrace/event'
import type { AppendUnit, ClaimChange, ClaimRegister } from '@millrace/log'
import { claim } from '@millrace/log/contract'
import { demand } from '../story.ts'

const unique = 'guarantee 3, uniqueness is linearizable'

/** Who holds which unique value, by what appends have come to: never two of one value. */
export class ClaimJudge {
  /** By constraint and key: the value; null: an entry that holds nothing. */
  readonly #held = new Map<string, string | null>()
  /** Versions of the keyring that every claim has to be given under, from the first claim on. */
  live: readonly string[] = []
  /** No claim changes before that. */
  gatedUntilMs = 0

  /** The unit was appended: each of its claims must have been free for it. */
  appended(key: string, { claims = [] }: AppendUnit, nowMs: number): void {
    if (claims.length === 0) return
    demand(nowMs >= this.gatedUntilMs, unique, () => `claims of ${key} changed behind a closed gate`)
    this.live = this.#liveWith(claims)
    for (const change of claims) {
      const why = this.#against(key, change, this.live)
      demand(
        why === undefined,
        unique,
        () => `${key} may ${change.action} ${String(valueOf(change))}: ${why}`,
      )
    }
    for (const change of claims) {
      const slot = `${change.constraint}:${key}`
      if (change.action === 'release') this.#held.delete(slot)
      else this.#held.set(slot, valueOf(change))
    }
  }

  /** The unit was refused for this: it must be so. */
  refused(key: string, { claims = [] }: AppendUnit, code: string, nowMs: number): void {
    const live = this.#liveWith(claims)
    const reasons = claims.map((change) => this.#against(key, change, live))
    if (nowMs < this.gatedUntilMs) reasons.push('append.gated')
    demand(
      reasons.includes(code),
      unique,
      () => `${key} is refused: ${code}, and it is ${reasons.join() || 'free'}`,
    )
  }

  /** Nothing of the unit would have changed anything. */
  unchanged(key: string, { claims = [] }: AppendUnit): void {
    const same = claims.every(
      (change) =>
        change.action === 'change' && this.#held.get(`${change.constraint}:${key}`) === valueOf(change),
    )
    demand(same && claims.length > 0, unique, () => `claims of ${key} are said to be as they were`)
  }

  /** @throws Violation */
  async read(
    log: ClaimRegister,
    topic: Topic,
    constraints: readonly string[],
    values: readonly string[],
  ): Promise<void> {
    const live = await log.liveVersions(topic)
    demand(live.join() === this.live.join(), unique, () => `live are ${live.join()}, not ${this.live.join()}`)
    const all = new Set([...values, ...[...this.#held.values()].filter((value) => value !== null)])
    for (const constraint of constraints)
      for (const value of all) {
        const { digests } = claim('claim', value, constraint, ['1', '2'])
        const [owner, holder] = [
          await log.ownerOf(topic, constraint, digests),
          this.#holder(constraint, value),
        ]
        demand(owner === holder, unique, () => `${constraint} ${value} leads to ${owner}, held by ${holder}`)
      }
  }

  #holder(constraint: string, value: string): string | undefined {
    const slot = [...this.#held].find(
      ([one, held]) => held === value && one.startsWith(`${constraint}:`),
    )?.[0]
    return slot?.slice(constraint.length + 1)
  }

  /** The live versions, or those that a topic's first claim makes the live ones. */
  #liveWith(claims: readonly ClaimChange[]): readonly string[] {
    const first = claims.find(({ digests }) => Object.keys(digests).length > 0)
    return this.live.length > 0 || !first ? this.live : Object.keys(first.digests).toSorted()
  }

  /** What stands against a change. */
  #against(key: string, change: ClaimChange, live: readonly string[]): string | undefined {
    const { constraint, action, digests } = change
    if ((action === 'claim') === this.#held.has(`${constraint}:${key}`)) return 'append.not-owner'
    const value = valueOf(change)
    if (action === 'release' || value === null) return undefined
    if (live.some((version) => digests[version] === undefined)) return 'append.keyring'
    const holder = this.#holder(constraint, value)
    return holder === undefined || holder === key ? undefined : 'append.claimed'
  }
}

/** The value that digests of these simulations are of: a version of one letter stands before it. */
function valueOf({ digests }: ClaimChange): string | null {
  return Object.values(digests)[0]?.slice(1) ?? null
}
