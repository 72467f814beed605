import type { StoryFact } from './story-fact.ts'
import type { Standing, Story, StoryAsked, StoryEntry } from './story.ts'

/** A story as people read it: a line for each thing, with its time since the first, in order. */
export interface StoryText {
  readonly title: string
  readonly lines: readonly StoryLine[]
  /** What is not settled, and what is not told. */
  readonly notes: readonly string[]
}

/** One line. `depth` 0: a request; 1: an event; 2: what a group made of it. */
export interface StoryLine {
  readonly at: string
  /** Since the first line. */
  readonly since: string
  readonly depth: 0 | 1 | 2
  readonly text: string
}

/** Writes a story down. */
export function storyText(story: Story): StoryText {
  const [first] = story.entries
  const beganMs = first?.atMs ?? 0
  return {
    title: titleOf(story.asked),
    lines: story.entries.map((entry) => ({
      at: isoOf(entry.atMs),
      since: `+${spanOf(entry.atMs - beganMs)}`,
      depth: entry.kind === 'request' ? 0 : entry.kind === 'event' ? 1 : 2,
      text: textOf(entry),
    })),
    notes: notesOf(story),
  }
}

function titleOf(asked: StoryAsked): string {
  if ('correlationId' in asked) return `What correlation id ${asked.correlationId} led to`
  if ('eventId' in asked) return `The story of event ${asked.eventId}`
  return `The story of key ${asked.key} of ${asked.topic}`
}

function textOf(entry: StoryEntry): string {
  switch (entry.kind) {
    case 'request': {
      const { service, method, route, status, tookMs } = entry
      return `${service}: ${method} ${route} was answered ${status} in ${spanOf(tookMs)}`
    }
    case 'event': {
      const { type, eventId, key, position, source, actor, causationId } = entry
      const by = actor === undefined ? source : `${actor} (${source})`
      const cause = causationId === undefined ? '' : `, caused by ${causationId}`
      return `${type} ${eventId} of key ${key} at ${position}, by ${by}${cause}`
    }
    case 'fact':
      return `${entry.group}: ${factText(entry.fact)}`
    case 'note':
      return `${entry.group}: ${entry.text}${detailsText(entry.details)}`
    case 'settled':
      return `${entry.group}: ${settledText(entry)}`
  }
}

function settledText(entry: StoryEntry & { readonly kind: 'settled' }): string {
  if (entry.whenUnknown) return 'settled at the first attempt, it is not known when'
  const { afterMs, atMs, member } = entry
  const by = member === undefined ? '' : `, by ${member}`
  const within = afterMs === undefined ? 0 : atMs - afterMs
  const span = within >= 1_000 ? `, within ${spanOf(within)} before` : ''
  return `settled at the first attempt${span}${by}`
}

function factText(fact: StoryFact): string {
  switch (fact.what) {
    case 'attempt':
      return `attempt ${fact.no} failed after ${spanOf(fact.tookMs)}: ${fact.error} (${fact.member})`
    case 'parked':
      return fact.dueMs === undefined
        ? `the key is held for an operator after ${attempts(fact.attempts)}: ${fact.reason}`
        : `the key is parked; the next attempt is due at ${isoOf(fact.dueMs)} (${fact.reason})`
    case 'deferred':
      return `deferred: ${fact.why}`
    case 'dead':
      return `dead letter after ${attempts(fact.attempts)}: ${fact.reason}: ${fact.message}`
    case 'done':
      return doneText(fact)
    case 'effect':
      return `effect ${fact.name} is recorded (${fact.idempotencyKey})`
    case 'effect-ended': {
      const error = fact.error === undefined ? '' : `: ${fact.error}`
      return `effect ${fact.name} ${fact.to} after ${attempts(fact.attempts)} and ${spanOf(fact.tookMs)}${error}`
    }
    case 'ruled':
      return `${fact.by} has ruled: ${fact.kind} (it was ${fact.on}), because: ${fact.reason}`
  }
}

const origins = {
  line: '',
  deferred: ', after it was deferred',
  late: ', late, as an operator ordered',
} as const

function doneText(fact: StoryFact & { readonly what: 'done' }): string {
  const { attempt, origin, unmet, ruling } = fact
  const how = unmet === undefined ? `done at attempt ${attempt}` : `done by what was missing: ${unmet}`
  const under = ruling === undefined ? '' : `, under ruling ${ruling}`
  return `${how}${origin === undefined ? '' : origins[origin]}${under}`
}

function detailsText(details: Readonly<Record<string, string | number>>): string {
  const all = Object.entries(details).map(([name, value]) => `${name} ${value}`)
  return all.length > 0 ? ` (${all.join(', ')})` : ''
}

function notesOf({ open, beyond, behind }: Story): readonly string[] {
  const notes = open.map(standingText)
  if (open.length === 0) notes.push('Nothing is open.')
  if (beyond > 0) notes.push(`${beyond} more events are left out.`)
  if (behind > 0) notes.push(`The index is ${behind} events behind: what is not told may be among them.`)
  return notes
}

function standingText({ group, eventId, state, why, dueMs }: Standing): string {
  const due = dueMs === undefined ? '' : `, due at ${isoOf(dueMs)}`
  return `Open: ${group} has event ${eventId} ${states[state]}: ${why}${due}.`
}

const states: Readonly<Record<Standing['state'], string>> = {
  'not-reached': 'before it',
  retry: 'to be tried again',
  held: 'held for an operator',
  'in-line': 'in line',
  deferred: 'deferred',
  dead: 'as a dead letter',
  'effect-open': 'with an open effect',
}

function attempts(count: number): string {
  return `${count} ${count === 1 ? 'attempt' : 'attempts'}`
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

/** A length of time in the unit that suits it. */
function spanOf(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return `${(ms / 3_600_000).toFixed(1)} h`
}
