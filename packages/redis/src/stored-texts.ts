import { envelopeOf } from '@millrace/event'
import type {
  DeferredEvent,
  EffectRuling,
  EffectToRecord,
  JournalledFiring,
  KeyTimer,
  MigratedKey,
  OpenEffect,
  OutboxEntry,
  ParkedKey,
  ParkNote,
  RecordedEffect,
  StateWrite,
  StoredState,
} from '@millrace/processor'

// The texts that the scripts of a group keep, as commit.lua describes them: numbers that Lua reads, then JSON that it
// does not look into, a line each.

/** A key's record: its state and what operators remember stay texts, because the owner alone knows their form. */
export function encodeState({ version, seq, state, ops }: StateWrite): string {
  return `${version} ${seq}\n${state}\n${ops}`
}

export function decodeState(text: string): StoredState {
  const first = text.indexOf('\n')
  const second = text.indexOf('\n', first + 1)
  const blank = text.indexOf(' ')
  return {
    version: Number(text.slice(0, blank)),
    seq: Number(text.slice(blank + 1, first)),
    state: text.slice(first + 1, second),
    ops: text.slice(second + 1),
  }
}

export function encodeMigration({ key: _, state, ...rest }: MigratedKey): string {
  return `${JSON.stringify(rest)}\n${state}`
}

export function decodeMigration(key: string, text: string): MigratedKey {
  const [facts, state] = cut(text)
  const { asOf, id, ...rest } = JSON.parse(facts) as Omit<MigratedKey, 'key' | 'state'>
  return { ...rest, id, asOf, key, state }
}

export function decodeParked(key: string, text: string): ParkedKey {
  const [numbers, note] = cut(text)
  const [no = 0, head = 0, last = 0, lined = 0] = numbers.split(' ').map(Number)
  return { key, no, head, last, lined, note: JSON.parse(note) as ParkNote }
}

export function decodeDeferred(text: string): readonly DeferredEvent[] {
  return JSON.parse(cut(text)[1]) as DeferredEvent[]
}

/** The name of a timer among all of the group. */
export function timerMember(key: string, name: string): string {
  return JSON.stringify([key, name])
}

export function decodeTimer(member: string, dueMs: string): KeyTimer {
  const [key, name] = JSON.parse(member) as [string, string]
  return { key, name, dueMs: Number(dueMs) }
}

export function decodeFiring(member: string): JournalledFiring {
  // Two numbers of 15 digits, a blank after each.
  const [key, name, dueMs] = JSON.parse(member.slice(32)) as [string, string, number]
  return { key, name, dueMs, afterSeq: Number(member.slice(0, 15)), no: Number(member.slice(16, 31)) }
}

export function decodeOutboxEntry(id: string, fields: readonly string[]): OutboxEntry {
  const [, target = '', , first = '', , text = ''] = fields
  const slash = target.indexOf('/')
  return {
    id,
    topic: target.slice(0, slash),
    partition: Number(target.slice(slash + 1)),
    first: Number(first),
    events: (JSON.parse(text) as unknown[]).map(envelopeOf),
    size: text.length,
  }
}

export function encodeEffect({ idempotencyKey: _, payload, ...rest }: EffectToRecord): string {
  return `${JSON.stringify(rest)}\n${payload}`
}

export function decodeEffect(idempotencyKey: string, text: string): RecordedEffect {
  const [head, body] = cut(text)
  const [facts = '', payload = '', ruling] = body.split('\n', 3)
  const [status = '', turn = '', no = ''] = head.split(' ', 3)
  const note: unknown = JSON.parse(head.slice(status.length + turn.length + no.length + 3))
  const rest = JSON.parse(facts) as Omit<EffectToRecord, 'idempotencyKey' | 'payload'>
  return {
    ...rest,
    idempotencyKey,
    payload,
    status: status as OpenEffect,
    turn: Number(turn),
    no: Number(no),
    note,
    ...(ruling === undefined ? {} : { ruling: JSON.parse(ruling) as EffectRuling }),
  }
}

function cut(text: string): [head: string, rest: string] {
  const end = text.indexOf('\n')
  return [text.slice(0, end), text.slice(end + 1)]
}
