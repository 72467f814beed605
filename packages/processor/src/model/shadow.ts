import type { ForeignLoad } from './first-touch.ts'

/**
 * A processor that runs beside the system it is to replace: its effects are recorded and withheld, but for the keys
 * that were promoted. See docs/shadow.md.
 */
export interface ShadowOptions {
  /** Whose effects are carried out before anybody has promoted or demoted anything. Default `none`. */
  readonly initially?: 'none' | 'all'
}

/** How what a processor has folded compares with what another system has. */
export interface Comparison<S> {
  /** Default: as the state's `firstTouch` loads it. */
  readonly load?: ForeignLoad<S>
  /** What of a state is compared, by name: JSON. Lists are compared in their order. */
  fields(state: S): Readonly<Record<string, unknown>>
}
