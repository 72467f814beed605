import { MillraceError } from '@millrace/event'
import type { ClaimChange } from './append.ts'

/** What a unit's claim changes come to: the writes to make, or whether there are none. */
export interface ClaimPlan {
  readonly changed: boolean
  /** Keyring versions that the plan's digests are given under. */
  readonly versions: readonly string[]
  readonly free: readonly string[]
  readonly take: readonly string[]
  readonly entries: ReadonlyMap<string, string | undefined>
}

/** Claims of one topic: digest → owner, and (constraint, owner) → digests. */
export class MemoryClaims {
  readonly owners = new Map<string, string>()
  readonly held = new Map<string, string>()
  live: readonly string[] = []
  /** Claim changes are refused until then, in ms since the epoch. */
  gateUntil = 0
  /** Sequence number of each partition's last claim change. */
  readonly changed = new Map<number, number>()

  /** Judges all changes of one unit against the claims as they stand. Writes nothing. */
  plan(key: string, changes: readonly ClaimChange[], now: number): ClaimPlan | MillraceError {
    if (changes.length > 0 && now < this.gateUntil) return new MillraceError('append.gated')
    const versions = this.#versionsFor(changes)
    const free: string[] = []
    const take: string[] = []
    const entries = new Map<string, string | undefined>()
    let changed = false
    for (const change of changes) {
      const slot = `${change.constraint}:${key}`
      const present = this.held.get(slot)
      if ((change.action === 'claim') !== (present === undefined)) return notOwner(change)
      const missing = missingVersion(change, versions)
      if (missing) return missing
      const digests = tagged(change, versions)
      const wanted = digests.map((digest) => `${change.constraint}:${digest}`)
      for (const name of wanted) {
        const owner = this.owners.get(name)
        if (owner !== undefined && owner !== key) return claimed(change)
      }
      const value = digests.join(' ')
      if (present === value && change.action === 'change') continue
      changed = true
      for (const digest of present ? present.split(' ') : []) free.push(`${change.constraint}:${digest}`)
      take.push(...wanted)
      entries.set(slot, change.action === 'release' ? undefined : value)
    }
    return { changed, versions, free, take, entries }
  }

  /** Makes a plan true. The first claim of a topic settles which versions are live. */
  commit(key: string, plan: ClaimPlan): void {
    if (this.live.length === 0) this.live = plan.versions
    for (const name of plan.free) this.owners.delete(name)
    for (const name of plan.take) this.owners.set(name, key)
    for (const [slot, value] of plan.entries) {
      if (value === undefined) this.held.delete(slot)
      else this.held.set(slot, value)
    }
  }

  /** Puts rebuilt claims in the place of these. */
  replace(
    live: readonly string[],
    owners: ReadonlyMap<string, string>,
    held: ReadonlyMap<string, string>,
  ): void {
    this.live = live
    this.gateUntil = 0
    this.owners.clear()
    this.held.clear()
    for (const [name, key] of owners) this.owners.set(name, key)
    for (const [slot, text] of held) this.held.set(slot, text)
  }

  // Before the first claim, the versions of the first caller, which become the live ones if its unit stands.
  #versionsFor(changes: readonly ClaimChange[]): readonly string[] {
    if (this.live.length > 0) return this.live
    const first = changes.find(
      (change) => change.action !== 'release' && Object.keys(change.digests).length > 0,
    )
    return first ? Object.keys(first.digests).toSorted() : []
  }
}

function tagged(change: ClaimChange, live: readonly string[]): readonly string[] {
  if (change.action === 'release' || Object.keys(change.digests).length === 0) return []
  return live.map((version) => `${version}:${change.digests[version]}`)
}

function missingVersion(change: ClaimChange, live: readonly string[]): MillraceError | undefined {
  if (change.action === 'release' || Object.keys(change.digests).length === 0) return undefined
  const missing = live.find((version) => change.digests[version] === undefined)
  return missing === undefined
    ? undefined
    : new MillraceError('append.keyring', `The claim lacks a digest of keyring version ${missing}`)
}

function claimed(change: ClaimChange): MillraceError {
  const { constraint, field } = change
  return new MillraceError('append.claimed', `The ${field} is taken`, { details: { constraint, field } })
}

function notOwner(change: ClaimChange): MillraceError {
  const { constraint, field } = change
  const why =
    change.action === 'claim'
      ? 'The key holds this claim already'
      : 'The key holds no claim of this constraint'
  return new MillraceError('append.not-owner', why, { details: { constraint, field } })
}
