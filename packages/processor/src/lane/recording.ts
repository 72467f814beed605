import {
  derivedId,
  type Event,
  type EventDraft,
  MillraceError,
  newEncodedEvent,
  type Topic,
  validate,
} from '@millrace/event'
import type { AnyEffect } from '../model/effect.ts'
import type { Cause } from '../model/key-record.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Delivery } from './delivery.ts'
import type { LaneCore } from './lane-core.ts'
import type { Load } from './load.ts'
import { conflicting, outOfOrder, undeclared } from './pipeline-fault.ts'

/** Most emits, and most effects, of one delivery: a commit takes a thousand of each, of many deliveries. */
const mostOutcomes = 100

/** Replaces the state of the key. @throws MillraceError `pipeline.order`, `pipeline.outcome`, `pipeline.undeclared` */
export function recordState(lane: LaneCore, delivery: Delivery, state: unknown): void {
  if (lane.processor.state === undefined)
    throw lane.fault(undeclared(`Processor ${lane.processor.name} folds a state that it does not declare`))
  assertGoing(lane, delivery, 'evolve()')
  if (!lane.memory.setState(delivery, state)) throw lane.fault(outOfOrder('evolve()'))
}

/** Adds events to append. @throws MillraceError `event.invalid`, `type.unknown`, `event.too-large`, `append.limit` */
export function recordEmits(lane: LaneCore, delivery: Delivery, topic: Topic, drafts: LooseDrafts): void {
  if (drafts === undefined) return
  assertGoing(lane, delivery, 'emit()')
  if (isList(drafts)) for (const draft of drafts) recordEmit(lane, delivery, topic, draft)
  else recordEmit(lane, delivery, topic, drafts)
}

/** Drafts whose topic is not known to the compiler any more: the topic's schema checks them. */
export type LooseDrafts = LooseDraft | readonly LooseDraft[] | undefined

type LooseDraft = Omit<EventDraft, 'key'> & { readonly key?: string }

function isList(drafts: LooseDraft | readonly LooseDraft[]): drafts is readonly LooseDraft[] {
  return Array.isArray(drafts)
}

function recordEmit(lane: LaneCore, delivery: Delivery, topic: Topic, draft: LooseDraft): void {
  const { emits } = delivery
  let ordinal = 0
  if (emits !== undefined) {
    assertRoom(emits, 'emits')
    for (const other of emits) if (other.topic.name === topic.name) ordinal += 1
  }
  const cause = causeOf(delivery)
  // Members are added one by one: a spread for each that may be absent takes longer than the event itself.
  const whole: Writable<EventDraft> = {
    type: draft.type,
    key: draft.key ?? delivery.key,
    data: draft.data,
    id: derivedId(lane.processor.name, cause.id, topic.name, String(ordinal)),
    correlationId: cause.correlationid,
    causationId: cause.eventId,
  }
  if (draft.source !== undefined) whole.source = draft.source
  if (draft.time !== undefined) whole.time = draft.time
  if (draft.actor !== undefined) whole.actor = draft.actor
  if (cause.traceparent !== undefined) whole.traceparent = cause.traceparent
  const emitted = newEncodedEvent(topic, whole, lane.clock)
  // A list that grows takes room for seventeen.
  if (emits === undefined) delivery.emits = Array.of(emitted)
  else emits.push(emitted)
}

// What each event makes is made by classes and Array.of: V8 puts what a literal makes into the old generation once much of
// it has lived on, and all that such things name then stays until the whole heap is collected.
class EventCause implements Cause {
  readonly id: string
  readonly eventId: string
  readonly correlationid: string
  declare readonly traceparent?: string

  constructor({ id, correlationid, traceparent }: Event) {
    this.id = id
    this.eventId = id
    this.correlationid = correlationid
    if (traceparent !== undefined) this.traceparent = traceparent
  }
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/** Adds an action on the outside world. @throws MillraceError `event.invalid`, `pipeline.undeclared`, `append.limit` */
export function recordEffect(
  lane: LaneCore,
  delivery: Delivery,
  definition: AnyEffect,
  payload: unknown,
): void {
  const { name } = definition
  // The schema, not the definition: a test kit puts another function in the place of the real one.
  if (lane.processor.effects.get(name)?.schema !== definition.schema)
    throw lane.fault(
      undeclared(`Processor ${lane.processor.name} does not list the effect "${name}" it records`),
    )
  assertGoing(lane, delivery, 'effect()')
  const effects = (delivery.effects ??= [])
  assertRoom(effects, 'effects')
  let ordinal = 0
  for (const other of effects) if (other.name === name) ordinal += 1
  const checked = validate(definition.schema, payload, `The payload of effect ${name}`)
  const cause = causeOf(delivery)
  effects.push({
    name,
    key: delivery.key,
    idempotencyKey: derivedId(lane.processor.name, cause.id, name, String(ordinal)),
    payload: JSON.stringify(checked) ?? 'null',
    ordinal,
    correlationId: cause.correlationid,
    causationId: cause.eventId,
    ...(cause.traceparent === undefined ? {} : { traceparent: cause.traceparent }),
  })
}

/** Sets the delivery aside or gives it up. @throws MillraceError `pipeline.outcome` */
export function recordEnd(lane: LaneCore, load: Load, outcome: Exclude<Outcome, 'done'>, why: string): void {
  const { delivery } = load
  const word = outcome === 'dead' ? 'dead()' : 'defer()'
  if (load !== delivery)
    throw lane.fault(conflicting(`${word} was called for a value that several events went into`))
  if (delivery.outcome !== 'done')
    throw lane.fault(conflicting(`${word} came after the event was ${delivery.outcome}`))
  if (delivery.timer !== undefined)
    throw lane.fault(conflicting(`${word} was called for a timer that is due`))
  if (delivery.after ?? delivery.emits ?? delivery.effects ?? delivery.timers)
    throw lane.fault(conflicting(`${word} came after other outcomes of the same event`))
  delivery.outcome = outcome
  delivery.why = why
}

/** What the outcomes of a delivery derive from. */
export function causeOf(delivery: Delivery): Cause {
  return (delivery.cause ??= causeOfEvent(delivery.event))
}

function causeOfEvent(event: Event | undefined): Cause {
  if (event === undefined) throw new TypeError('Bug: a firing without a cause')
  return new EventCause(event)
}

/** Nothing can be recorded for a delivery that was set aside or given up. */
export function assertGoing(lane: LaneCore, delivery: Delivery, what: string): void {
  if (delivery.outcome !== 'done')
    throw lane.fault(conflicting(`${what} came after the event was ${delivery.outcome}`))
}

function assertRoom(list: readonly unknown[], what: string): void {
  if (list.length >= mostOutcomes)
    throw new MillraceError('append.limit', `One event brings about more than ${mostOutcomes} ${what}`)
}
