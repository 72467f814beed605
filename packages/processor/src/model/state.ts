import type { Schema } from '@millrace/event'
import { type FirstTouch, type FirstTouchOptions, firstTouchOf } from './first-touch.ts'

/** Brings a state of one version to the next. Pure; runs when a record of that version is loaded. */
export type Migration = (old: unknown) => unknown

/** Options of {@link state}. */
export interface StateOptions<S> {
  /** The state of a key before its first event. */
  readonly initial: (key: string) => S
  /** Version of its form, from 1. Default 1. */
  readonly version?: number
  /** Checks what was loaded. Default: it is taken as it lies in the store. */
  readonly schema?: Schema<S>
  /** `migrate[n]` brings version n to n + 1; one for each version below the present. */
  readonly migrate?: Readonly<Record<number, Migration>>
  /** Most bytes of JSON, with what the durable operators of the key keep. Default 64 KiB. */
  readonly maxBytes?: number
  /** Where the state of a key is taken over from when its first event comes. Default: it begins as `initial` says. */
  readonly firstTouch?: FirstTouchOptions<S>
}

/** How the state of a key begins, is stored and grows older. Must be JSON; `undefined` is no state. */
export interface StateDefinition<S> {
  readonly initial: (key: string) => S
  readonly version: number
  readonly schema: Schema<S> | undefined
  readonly migrate: Readonly<Record<number, Migration>>
  readonly maxBytes: number
  readonly firstTouch: FirstTouch<S> | undefined
}

/** Most bytes of a key's record, unless its state says otherwise. */
export const defaultStateBytes = 64 * 1024

/** Declares the state of a processor. Throws a TypeError when the declaration is wrong: that is a mistake in code. */
export function state<S>(options: StateOptions<S>): StateDefinition<S> {
  const { version = 1, migrate = {}, maxBytes = defaultStateBytes } = options
  if (!Number.isInteger(version) || version < 1)
    throw new TypeError('The version of a state must be a whole number from 1')
  for (let from = 1; from < version; from++)
    if (migrate[from] === undefined) throw new TypeError(`The state has no migration from version ${from}`)
  if (!Number.isInteger(maxBytes) || maxBytes < 1)
    throw new TypeError('maxBytes of a state must be a whole number from 1')
  const { initial, schema } = options
  const firstTouch = options.firstTouch && firstTouchOf(options.firstTouch)
  return { initial, version, schema, migrate, maxBytes, firstTouch }
}
