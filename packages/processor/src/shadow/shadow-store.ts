import type { Page } from '@millrace/log'
import type { EffectToRecord } from '../effect-ledger.ts'
import type { GroupPartition, PageOptions } from '../group-partition.ts'
import type { MigratedKey } from '../migrated-key.ts'
import type { ShadowRecord } from './shadow-record.ts'

/** Who orders something, and why. */
export interface Ordered {
  /** 1 to 200 characters. */
  readonly by: string
  /** 1 to 1,000 characters. */
  readonly reason: string
}

/** What is to be said about whose effects are carried out. */
export interface ShadowChange extends Ordered {
  /** True: carried out; false: withheld; undefined: as the percentage says. */
  readonly keys?: readonly { readonly key: string; readonly promoted: boolean | undefined }[]
  /** From 0 to 100. */
  readonly percent?: number
}

/** An effect that was recorded and not carried out. */
export interface WithheldEffect extends EffectToRecord {
  /** Its place in the order of recording, from 1. */
  readonly no: number
}

/** What becomes of withheld effects. */
export interface WithheldRequest extends Ordered {
  /** At most 1,000. */
  readonly ids: readonly string[]
  /** `released`: pending from now on; `ignored`: never to be carried out. */
  readonly to: 'released' | 'ignored'
}

/** How a request about one withheld effect ended. */
export type WithheldResult =
  | 'moved'
  /** It is not among those that are kept: settled before, forgotten, or never withheld. */
  | 'gone'

/** What a drop is to remove; the caller holds the lease. */
export interface StateDrop extends Ordered {
  /** At most 1,000. */
  readonly keys: readonly string[]
  /** The journal entry of the migration too. */
  readonly history: boolean
  /** Timers that the records of the keys have set. */
  readonly timers: readonly { readonly key: string; readonly name: string }[]
  /** Whether the audit log says so: once for many calls. */
  readonly logged: boolean
  /** How the audit log names it: the one key, or empty for many. */
  readonly named: string
}

/** What a drop has removed. */
export type StateDropResult =
  | { readonly status: 'dropped'; readonly records: number; readonly migrations: number }
  | { readonly status: 'fenced' }

/** A group's side of running beside another system. Each call is one atomic step. See docs/state-machines.md. */
export interface ShadowStore {
  /** What operators have said in this partition. */
  shadow(at: GroupPartition): Promise<ShadowRecord>

  /**
   * Says it, with an entry of the audit log. May be repeated. Its owner follows within a second.
   *
   * @throws MillraceError `shadow.crowded`: too many keys were promoted or demoted by name
   */
  setShadow(at: GroupPartition, change: ShadowChange): Promise<ShadowRecord>

  /** Withheld effects in the order of recording, the latest 10,000 of a partition. Default limit 100. */
  withheldEffects(at: GroupPartition, options?: PageOptions): Promise<Page<WithheldEffect>>

  /** Lets withheld effects go, or ignores them, one by one, with an entry of the audit log. Needs no token. */
  settleWithheld(at: GroupPartition, request: WithheldRequest): Promise<readonly WithheldResult[]>

  /**
   * Journals what another system says of a key that the group has nothing of: its first event goes on from there. Needs
   * no token, writes no state, and may be repeated.
   */
  keepMigration(at: GroupPartition, entry: MigratedKey): Promise<'kept' | 'known'>

  /**
   * Removes the records of keys and leaves marks in their places, under the token of the live lease: with the next
   * event they are folded anew.
   */
  dropStates(at: GroupPartition, token: string, drop: StateDrop): Promise<StateDropResult>
}

/** Checks who orders something, and why. Throws a TypeError when it cannot be stored. */
export function checkOrdered({ by, reason }: Ordered): void {
  const fits = (text: string, most: number) => text.length > 0 && text.length <= most && text.isWellFormed()
  if (!fits(by, 200)) throw new TypeError('An order: by is 1 to 200 characters')
  if (!fits(reason, 1_000)) throw new TypeError('An order: the reason is 1 to 1,000 characters')
}
