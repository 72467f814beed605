import { type Event, maskText, type Topic } from '@millrace/event'
import { formatPosition, type Recorded, recordedMsOf } from '@millrace/log'
import type { GroupPartition } from '../group-partition.ts'
import type { GroupStore, GroupState, StoredKey } from '../group-store.ts'
import type { Stories } from './stories.ts'
import type { Standing, StoryEntry, ToldEvent } from './story.ts'
import type { SettledSpan, StoryFact } from './story-fact.ts'

/** A group whose part of a story is told. */
export interface StoryGroup {
  readonly topic: Topic
  readonly group: string
  /** Types that it handles. Default: all of the topic. */
  readonly types?: ReadonlySet<string>
}

/** What is asked about groups. */
export interface StorySources {
  readonly store: Pick<GroupStore, 'look' | 'loadStates' | 'deadLetters' | 'requeued'>
  readonly stories: Stories
}

/** What one group has to say of one partition's events. */
export interface GroupPart {
  readonly entries: readonly StoryEntry[]
  readonly open: readonly Standing[]
}

/** An event as it is told. */
export function eventEntry({ event, position }: Recorded): StoryEntry {
  return {
    kind: 'event',
    atMs: recordedMsOf(position.id),
    position: formatPosition(position),
    ...told(event),
  }
}

function told(event: Event): Omit<ToldEvent, 'position'> {
  const { id, type, subject, source, time, correlationid, causationid, actor } = event
  return {
    eventId: id,
    type,
    key: maskText(subject),
    source,
    time,
    correlationId: correlationid,
    ...(causationid === undefined ? {} : { causationId: causationid }),
    ...(actor === undefined ? {} : { actor: maskText(actor) }),
  }
}

/** Asks what a group made of events of one partition: six questions, whatever the number of events. */
export async function partOfGroup(
  { store, stories }: StorySources,
  at: GroupPartition,
  events: readonly Recorded[],
): Promise<GroupPart> {
  const seqs = events.map(({ position }) => position.seq)
  const keys = [...new Set(events.map(({ event }) => event.subject))]
  const [state, facts, spans, stored, letters] = await Promise.all([
    store.look(at),
    stories.facts(at, seqs),
    stories.settledSpans(at, seqs),
    store.loadStates(at, keys),
    Promise.all(seqs.map((seq) => store.deadLetters(at, { after: seq - 1, limit: 1 }))),
  ])
  const dead = new Set(letters.flatMap(([letter]) => letter?.seq ?? []))
  const byKey = new Map(stored.map((one) => [one.key, one]))
  const entries: StoryEntry[] = []
  const open: Standing[] = []
  for (const recorded of events) {
    const { seq } = recorded.position
    const own = facts.get(seq) ?? []
    const where = placeOf(at, recorded)
    for (const fact of own) entries.push(...entriesOf(fact, where))
    const standing = standingOf(recorded, { state, stored: byKey.get(recorded.event.subject), dead })
    if (standing) open.push({ ...where, ...standing })
    else if (!isEnded(own)) entries.push(settledEntry(recorded, where, spans.get(seq)))
  }
  open.push(...(await openEffects(stories, at, events, facts)))
  return { entries, open }
}

function placeOf({ group }: GroupPartition, { event, position }: Recorded) {
  return { group, eventId: event.id, position: formatPosition(position) }
}

/** What a handler said is told at its own time. */
function entriesOf(told: StoryFact, where: ReturnType<typeof placeOf>): readonly StoryEntry[] {
  if (!('notes' in told)) return [{ kind: 'fact', atMs: told.atMs, ...where, fact: told }]
  const { notes = [], ...fact } = told
  const said = notes.map((note): StoryEntry => ({ kind: 'note', ...where, ...note }))
  // An attempt is told by when it began, so it stands before what was said in it.
  const itself: StoryEntry = { kind: 'fact', atMs: fact.atMs, ...where, fact }
  return fact.what === 'attempt' ? [itself, ...said] : [...said, itself]
}

/** Whether facts tell its end already. */
function isEnded(facts: readonly StoryFact[]): boolean {
  return facts.some(({ what }) => what === 'done')
}

function settledEntry(
  { position }: Recorded,
  where: ReturnType<typeof placeOf>,
  span: SettledSpan | undefined,
): StoryEntry {
  const recordedMs = recordedMsOf(position.id)
  if (!span) return { kind: 'settled', atMs: recordedMs, ...where, whenUnknown: true }
  const { after, by } = span
  const afterMs = after === undefined ? {} : { afterMs: Math.max(after.atMs, recordedMs) }
  return { kind: 'settled', atMs: by.atMs, ...where, member: by.member, ...afterMs }
}

type Stands = Pick<Standing, 'state' | 'why' | 'dueMs'>

function standingOf(
  { position: { seq } }: Recorded,
  given: {
    readonly state: GroupState
    readonly stored: StoredKey | undefined
    readonly dead: ReadonlySet<number>
  },
): Stands | undefined {
  const { state, stored, dead } = given
  if (dead.has(seq)) return { state: 'dead', why: 'it waits for an operator' }
  const parked = stored?.parked
  if (parked && seq === parked.head) {
    const { why, dueMs, reason, attempts } = parked.note
    const words = `${reason} after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
    return why === 'operator'
      ? { state: 'held', why: words }
      : { state: 'retry', why: words, ...(dueMs === undefined ? {} : { dueMs }) }
  }
  const deferred = stored?.deferred.find((one) => one.seq === seq)
  if (deferred) return { state: 'deferred', why: maskText(deferred.why) }
  if (parked && seq > parked.head && seq <= parked.last) return { state: 'in-line', why: 'its key is parked' }
  if (seq <= state.start.seq) return undefined
  if (seq <= state.position.seq || state.ahead.includes(seq)) return undefined
  return { state: 'not-reached', why: `the group is at ${state.position.seq}` }
}

async function openEffects(
  stories: Stories,
  at: GroupPartition,
  events: readonly Recorded[],
  facts: ReadonlyMap<number, readonly StoryFact[]>,
): Promise<readonly Standing[]> {
  const recorded = events.flatMap((one) =>
    (facts.get(one.position.seq) ?? []).flatMap((fact) =>
      fact.what === 'effect' ? [{ one, id: fact.idempotencyKey, name: fact.name }] : [],
    ),
  )
  const open = await stories.openEffects(at, [...new Set(recorded.map(({ id }) => id))].slice(0, 1_000))
  return recorded.flatMap(({ one, id, name }) => {
    const effect = open.get(id)
    return effect
      ? [{ ...placeOf(at, one), state: 'effect-open' as const, why: `effect ${name} is ${effect.status}` }]
      : []
  })
}
