import { newEvent, type Topic } from '@millrace/event'
import { type Commit, draftOutbox, type EffectToRecord, type Firing, type Unpark } from '@millrace/processor'
import type { Outcomes, Slot } from './slot.ts'

/** The parts of a commit that one turn of a member comes to. */
export type TurnParts = Omit<Commit, 'token' | 'n' | 'position' | 'ahead'>

/** How a member goes about its emitted events and effects. */
export interface Manner {
  readonly target: Topic
  /** Whether an entry of the outbox may be appended at once. */
  takesAtOnce(): boolean
  /** Whether an effect is recorded and not carried out. */
  withholds(): boolean
}

/** Says what a turn has made of keys, as a commit says it. */
export function partsOf(
  slots: readonly Slot[],
  out: Outcomes,
  firings: readonly Firing[],
  manner: Manner,
): TurnParts {
  const migrations = slots.flatMap(({ migration }) => migration ?? [])
  const defers = slots.filter(({ deferred, stored }) => deferred !== stored.deferred)
  return {
    done: out.done,
    dead: out.dead,
    states: slots
      .filter(({ hasChanged }) => hasChanged)
      .map(({ key, seq, state, ops }) => ({ key, version: 1, seq, state: JSON.stringify(state), ops })),
    ...(migrations.length > 0 ? { migrations } : {}),
    parks: slots.flatMap(({ park }) => park ?? []),
    lines: slots.flatMap(({ key, line, hasGrown }) => {
      const last = line?.events.at(-1)
      return hasGrown && line && last ? [{ key, last: last.seq, lined: line.events.length - 1 }] : []
    }),
    unparks: slots.flatMap(({ key, line, stored }): Unpark[] =>
      stored.parked && !line ? [{ key, last: stored.parked.last }] : [],
    ),
    defers: defers.map(({ key, deferred }) => ({ key, events: deferred })),
    ...(out.late.length > 0 ? { late: out.late.toSorted((a, b) => a - b) } : {}),
    ...(out.lateRuns.length > 0 ? { lateRuns: out.lateRuns } : {}),
    ...(out.heeded.length > 0 ? { heeded: out.heeded } : {}),
    outbox: outboxOf(out, manner),
    ...effectsOf(out, manner),
    timers: [...out.timers.values()],
    firings,
    ...(out.facts.length > 0 ? { facts: out.facts } : {}),
  }
}

function effectsOf(out: Outcomes, manner: Manner): Pick<Commit, 'effects' | 'withheld'> {
  const effects: EffectToRecord[] = []
  const withheld: EffectToRecord[] = []
  for (const { id, key, seq } of out.effects) {
    const rest = { ordinal: 0, payload: '{}', correlationId: 'c', causationId: String(seq) }
    const list = manner.withholds() ? withheld : effects
    list.push({ idempotencyKey: id, name: 'quote', key, seq, ...rest })
    const fact = { what: 'effect', atMs: out.nowMs, name: 'quote', idempotencyKey: id } as const
    out.facts.push({ seq, fact })
  }
  return { effects, ...(withheld.length > 0 ? { withheld } : {}) }
}

// In two halves: so a commit has several entries for one target partition, too.
function outboxOf({ emits }: Outcomes, manner: Manner): NonNullable<Commit['outbox']> {
  const { target } = manner
  const events = emits.map(({ key, cause }) => {
    const draft = { type: 'Emitted', key: `of-${key}`, data: { key, cause }, id: `${key}:${cause}` }
    const event = newEvent(target, { ...draft, time: '2026-01-01T00:00:00.000Z' })
    return { topic: target, event, text: JSON.stringify(event) }
  })
  const half = Math.ceil(events.length / 2)
  const taking = () => new Set(manner.takesAtOnce() ? [target.name] : [])
  return [...draftOutbox(events.slice(0, half), taking()), ...draftOutbox(events.slice(half), taking())]
}
