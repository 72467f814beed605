import { type Event, newEvent, type Topic } from '@millrace/event'
import { testTopic } from '@millrace/log/contract'
import type { DeadLetter } from '../dead-letter.ts'
import type { DeferredEvent } from '../deferred-event.ts'
import type { EffectToRecord } from '../effect-ledger.ts'
import { draftOutbox, type OutboxDraft } from '../outbox.ts'
import type { Park, ParkNote } from '../parked-key.ts'
import type { StateWrite } from '../stored-state.ts'

// Parts of commits, with texts that an adapter may get wrong: quotes, backslashes, letters beyond ASCII.

export function letter(seq: number, id = `1-${seq}`, key = 'k'): DeadLetter {
  return {
    id,
    seq,
    key,
    type: 'Happened',
    eventId: `e${seq}`,
    reason: 'mail.refused',
    message: 'no such mailbox: Zoë "quoted" \\',
    attempts: 1,
    details: { answer: '550 5.1.1' },
    atMs: 1_700_000_000_000,
  }
}

export function stateOf(key: string, seq: number, data: unknown = { seq }): StateWrite {
  return { key, version: 1, seq, state: JSON.stringify(data), ops: '' }
}

/** A key whose head waits, with so many events in line up to `last`. */
export function park(key: string, head: number, last = head, lined = 0, attempts = 1): Park {
  const note = { why: 'retry', dueMs: 1_700_000_060_000, ...failure(head, attempts) } as const
  return { key, head, last, lined, note }
}

/** A key that waits for an operator. */
export function held(key: string, head: number, last = head, lined = 0): Park {
  return { key, head, last, lined, note: { why: 'operator', ...failure(head, 1) } }
}

function failure(head: number, attempts: number): Omit<ParkNote, 'why' | 'dueMs'> {
  return {
    id: `1-${head}`,
    type: 'Happened',
    eventId: `e${head}`,
    attempts,
    tries: [],
    reason: 'internal',
    message: 'not yet: "Zoë" \\',
    fingerprint: 'f',
    sinceMs: 1_700_000_000_000,
  }
}

export function deferral(seq: number, untilMs?: number): DeferredEvent {
  return {
    seq,
    id: `1-${seq}`,
    type: 'Happened',
    eventId: `e${seq}`,
    why: 'waits for "Zoë" \\',
    sinceMs: 1_700_000_000_000,
    ...(untilMs === undefined ? {} : { untilMs }),
  }
}

export function intent(idempotencyKey: string, key = 'k', seq = 1): EffectToRecord {
  return {
    idempotencyKey,
    name: 'quote',
    key,
    seq,
    ordinal: 0,
    payload: '{"to":"Zoë \\"quoted\\" \\\\"}',
    correlationId: 'c',
    causationId: `e${seq}`,
  }
}

/** Where the parts' events go: a topic with two partitions. */
export const target: Topic = testTopic({ partitions: 2 })

/** Events for a topic, one for each key, their data counting from a number. */
export function emitted(keys: readonly string[], from = 1, topic = target): readonly OutboxDraft[] {
  return draftOutbox(
    keys.map((key, at) => {
      const event: Event = newEvent(topic, {
        type: 'Happened',
        key,
        data: { number: from + at, name: 'Zoë "quoted" \\' },
      })
      return { topic, event, text: JSON.stringify(event) }
    }),
  )
}
