import type { Event } from '@millrace/event'
import type { Recorded } from '@millrace/log'

/** What an event asks of the handler that all members of a simulation have. */
export type Act = Asked & { /** How long its handler takes. */ readonly slowMs?: number }

type Asked =
  | { readonly do: 'plain' }
  /** Emits an event. */
  | { readonly do: 'emit' }
  /** Records an effect; two events may ask for the same one. */
  | { readonly do: 'effect'; readonly id: string }
  /** Fails so many times, then succeeds. */
  | { readonly do: 'fail'; readonly times: number }
  | { readonly do: 'dead' }
  /** Is deferred until the key was allowed to go on. */
  | { readonly do: 'wait' }
  | { readonly do: 'allow' }
  /** Sets a timer, or moves it. */
  | { readonly do: 'timer'; readonly afterMs: number }

/** An event of the source, with what it asks for. */
export interface Asking {
  readonly key: string
  readonly seq: number
  readonly id: string
  readonly event: Event
  readonly act: Act
}

export function askingOf({ event, position }: Recorded): Asking {
  return { key: event.subject, seq: position.seq, id: position.id, event, act: event.data as Act }
}

/** The folded state of a key: what was handled, in order, and whether it was allowed to go on. */
export interface Folded {
  /** Sequence numbers of events, and `w<due>` for a firing. */
  readonly handled: readonly string[]
  readonly allowed: boolean
}

export const nothingFolded: Folded = { handled: [], allowed: false }

/** The pure fold that every member and the judge agree on. */
export function folded(state: Folded, asking: Asking): Folded {
  return {
    handled: [...state.handled, String(asking.seq)],
    allowed: state.allowed || asking.act.do === 'allow',
  }
}

export function foldedFiring(state: Folded, dueMs: number): Folded {
  return { ...state, handled: [...state.handled, `w${dueMs}`] }
}
