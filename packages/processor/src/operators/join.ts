import type { OperatorFunction } from 'rxjs'
import type { InState, StateOf } from '../model/lane-event.ts'
import { assertDurableMs } from './durable-ms.ts'
import { durable } from './durable.ts'

/** Two events of one key that belong together. */
export type Joined<E, L, R> = {
  readonly left: Extract<E, { readonly type: L }>
  readonly right: Extract<E, { readonly type: R }>
} & InState<StateOf<E>>

/** An event whose partner has not come in time. */
export type Unmatched<E, L, R> = (
  | { readonly left: Extract<E, { readonly type: L }>; readonly right: undefined }
  | { readonly left: undefined; readonly right: Extract<E, { readonly type: R }> }
) &
  InState<StateOf<E>>

/** Options of {@link join}. */
export interface JoinOptions {
  /** How long one waits for the other, in ms, by the time at which events were recorded. */
  readonly withinMs: number
}

interface Half<E> {
  readonly side: 'left' | 'right'
  readonly event: E
}

/**
 * Waits for one event of each of two types, in any order, and hands them on together; others are done. Of two of the
 * same type, the later one counts. With `withinMs`, an event whose partner has not come in time is handed on alone.
 * Works across restarts and on whatever member: the one that waits lies in the key's record.
 *
 * @param name Of its own within the pipeline. Renaming it loses what waits under the old name.
 */
export function join<
  E extends { readonly type: string },
  const L extends E['type'],
  const R extends E['type'],
>(name: string, left: L, right: R): OperatorFunction<E, Joined<E, L, R>>
export function join<
  E extends { readonly type: string },
  const L extends E['type'],
  const R extends E['type'],
>(
  name: string,
  left: L,
  right: R,
  options: JoinOptions,
): OperatorFunction<E, Joined<E, L, R> | Unmatched<E, L, R>>
export function join<E extends { readonly type: string }>(
  name: string,
  left: string,
  right: string,
  options?: JoinOptions,
): OperatorFunction<E, { readonly left: E | undefined; readonly right: E | undefined }> {
  const withinMs = options?.withinMs
  if (withinMs !== undefined) assertDurableMs('join()', withinMs)
  if (left === right) throw new TypeError('join() takes two different types')
  return durable<E, { left: E | undefined; right: E | undefined }, Half<E>>('join()', name, (desk) => ({
    next: (event, delivery, kept) => {
      if (event.type !== left && event.type !== right) return
      const side = event.type === left ? 'left' : 'right'
      const overdue = kept?.dueMs !== undefined && kept.dueMs <= delivery.timeMs
      if (kept !== undefined && !overdue && kept.data.side !== side) {
        desk.remember(delivery, undefined)
        desk.handOn(
          side === 'left' ? { left: event, right: kept.data.event } : { left: kept.data.event, right: event },
        )
        return
      }
      const dueMs = withinMs === undefined ? undefined : delivery.timeMs + withinMs
      desk.remember(delivery, { data: { side, event }, dueMs })
      if (overdue) desk.handOn(alone(kept.data))
    },
    fire: (delivery, { data }) => {
      desk.remember(delivery, undefined)
      desk.handOn(alone(data))
    },
  }))
}

function alone<E>({ side, event }: Half<E>): { left: E | undefined; right: E | undefined } {
  return side === 'left' ? { left: event, right: undefined } : { left: undefined, right: event }
}
