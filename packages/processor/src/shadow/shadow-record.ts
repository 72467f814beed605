import { createHash } from 'node:crypto'
import type { Processor } from '../model/processor.ts'

/** Whose effects a shadow carries out: what operators have said, for one partition. */
export interface ShadowRecord {
  /** Counts the changes, from 1; 0: nobody has said anything. */
  readonly no: number
  /** Of all keys; undefined: as the processor says. */
  readonly percent: number | undefined
  /** Keys of which it was said by name, whatever the percentage: true = carried out. */
  readonly keys: ReadonlyMap<string, boolean>
}

/** Most keys of a partition that can be promoted or demoted by name. */
export const mostShadowKeys = 1_000

export const noShadowRecord: ShadowRecord = { no: 0, percent: undefined, keys: new Map() }

/**
 * Where a key stands among all, from 0 up to 100, by a stable hash of its name: those below a percentage are under it,
 * and stay so under a higher one.
 */
export function shareOf(key: string): number {
  return (createHash('sha256').update(`shadow ${key}`).digest().readUInt32BE(0) / 2 ** 32) * 100
}

/** Whether the effects of a key are carried out. */
export function isPromoted(
  { shadow }: Pick<Processor, 'shadow'>,
  { keys, percent }: ShadowRecord,
  key: string,
): boolean {
  if (shadow === undefined) return true
  return keys.get(key) ?? shareOf(key) < (percent ?? (shadow.initially === 'all' ? 100 : 0))
}
