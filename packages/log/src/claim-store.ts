import type { Topic } from '@millrace/event'
import type { ClaimRegister } from './claim-register.ts'

/** What one key holds of one constraint. */
export interface ClaimEntry {
  readonly constraint: string
  readonly key: string
  /** `version:digest` for each keyring version; empty for an optional value that is absent. */
  readonly digests: readonly string[]
}

/** A digest and the key that it leads to. */
export interface ClaimedDigest {
  readonly constraint: string
  /** `version:digest`. */
  readonly digest: string
  readonly key: string
}

/** A part of a scan; what changes meanwhile may come twice or not at all. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Where to go on; absent at the end. */
  readonly next: string | undefined
}

/** A rebuild that is under way beside the live claims. */
export interface ClaimRebuild {
  /** Keyring versions that it digests with: the live ones after its swap. */
  readonly versions: readonly string[]
  /** Stream id up to which each partition has been read. */
  readonly read: ReadonlyMap<number, string>
}

/** What a rebuild read of one partition: what its keys hold afterwards, `undefined` for nothing any more. */
export interface RebuildStep {
  readonly partition: number
  /** Stream ids: where the step begins (exclusive) and ends. */
  readonly from: string
  readonly to: string
  readonly entries: readonly {
    readonly constraint: string
    readonly key: string
    readonly digests: readonly string[] | undefined
  }[]
}

/** Values that more than one key would hold. */
export interface Contested {
  readonly constraint: string
  readonly digest: string
  readonly keys: readonly string[]
}

/** How a swap ended: `behind` names nothing wrong, the rebuild must read on. */
export type SwapResult =
  | { readonly status: 'swapped' | 'behind' | 'none' }
  | { readonly status: 'contested'; readonly contested: readonly Contested[] }

/** The claims as an operator sees them: to look at, to check, to make anew. */
export interface ClaimStore extends ClaimRegister {
  entryOf(topic: Topic, constraint: string, key: string): Promise<ClaimEntry | undefined>
  entries(topic: Topic, from?: string): Promise<Page<ClaimEntry>>
  digests(topic: Topic, from?: string): Promise<Page<ClaimedDigest>>

  /** Starts a rebuild, or goes on with the one under way if it has the same versions (and drops it otherwise). */
  beginRebuild(topic: Topic, versions: readonly string[]): Promise<ClaimRebuild>
  /** Adds what was read; `stale` when the partition is not where the step begins: somebody else rebuilds too. */
  stepRebuild(topic: Topic, step: RebuildStep): Promise<'added' | 'stale'>
  /** Puts the rebuilt claims in the place of the live ones, if they hold every claim change of the log and contest nothing. */
  swapRebuild(topic: Topic): Promise<SwapResult>
  dropRebuild(topic: Topic): Promise<void>
  /** Refuses claim changes (`append.gated`) for so many ms; 0 opens again. */
  gate(topic: Topic, ms: number): Promise<void>
}
