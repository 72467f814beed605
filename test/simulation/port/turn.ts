import { newEvent, type Topic } from '@millrace/event'
import type { Commit } from '@millrace/processor'
import type { Firing } from '@millrace/processor'
import { draftOutbox } from '@millrace/processor'
import type { Park, Unpark } from '@millrace/processor'
import { nothingFolded } from '../act.ts'
import type { Outcomes, Slot } from './slot.ts'

/** The parts of a commit that one turn of a member comes to. */
export type TurnParts = Pick<
  Commit,
  | 'dead'
  | 'done'
  | 'states'
  | 'parks'
  | 'lines'
  | 'unparks'
  | 'defers'
  | 'outbox'
  | 'effects'
  | 'timers'
  | 'firings'
>

export function newOutcomes(): Outcomes {
  return { dead: [], emits: [], effects: [], timers: new Map(), done: 0 }
}

/** Says what a turn has made of keys, as a commit says it. */
export function partsOf(
  slots: readonly Slot[],
  out: Outcomes,
  firings: readonly Firing[],
  target: Topic,
): TurnParts {
  const nothing = JSON.stringify(nothingFolded)
  const changed = slots.filter(
    ({ state, stored }) => JSON.stringify(state) !== (stored.state?.state ?? nothing),
  )
  const parked = slots.flatMap((slot) => (slot.park && isNews(slot) ? [{ slot, park: slot.park }] : []))
  const parks = parked.flatMap(({ slot, park }): Park[] => (hasGrown(slot) ? [] : [park]))
  const lines = parked.flatMap(({ slot, park: { key, last, lined } }) =>
    hasGrown(slot) ? [{ key, last, lined }] : [],
  )
  const unparks = slots.flatMap(({ key, line, stored }): Unpark[] =>
    stored.parked && !line ? [{ key, last: stored.parked.last }] : [],
  )
  const defers = slots.filter(({ deferred, stored }) => deferred !== stored.deferred)
  return {
    done: out.done,
    dead: out.dead,
    states: changed.map(({ key, seq, state }) => ({
      key,
      version: 1,
      seq,
      state: JSON.stringify(state),
      ops: '',
    })),
    parks,
    lines,
    unparks,
    defers: defers.map(({ key, deferred }) => ({ key, events: deferred })),
    outbox: outboxOf(out, target),
    effects: out.effects.map(({ id, key, seq }) => ({
      idempotencyKey: id,
      name: 'quote',
      key,
      seq,
      ordinal: 0,
      payload: '{}',
      correlationId: 'c',
      causationId: String(seq),
    })),
    timers: [...out.timers.values()],
    firings,
  }
}

/** Nothing but its line is news. */
function hasGrown({ park, stored }: Slot): boolean {
  return (
    park !== undefined &&
    JSON.stringify({ ...park, last: undefined, lined: undefined }) ===
      JSON.stringify({ ...stored.parked, no: undefined, last: undefined, lined: undefined })
  )
}

function isNews({ park, stored }: Slot): boolean {
  return park?.tried === true || JSON.stringify(park) !== JSON.stringify({ ...stored.parked, no: undefined })
}

// In two halves: so a commit has several entries for one target partition, too.
function outboxOf({ emits }: Outcomes, target: Topic): NonNullable<Commit['outbox']> {
  const events = emits.map(({ key, cause }) => {
    const draft = { type: 'Emitted', key: `of-${key}`, data: { cause }, id: `${key}:${cause}` }
    const event = newEvent(target, { ...draft, time: '2026-01-01T00:00:00.000Z' })
    return { topic: target, event, text: JSON.stringify(event) }
  })
  const half = Math.ceil(events.length / 2)
  return [...draftOutbox(events.slice(0, half)), ...draftOutbox(events.slice(half))]
}
