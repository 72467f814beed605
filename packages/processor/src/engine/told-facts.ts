import { maskText } from '@millrace/event'
import type { Commit } from '../commit.ts'
import type { DeadLetter } from '../dead-letter.ts'
import type { EffectToRecord } from '../effect-ledger.ts'
import { cut } from '../failure-facts.ts'
import type { Delivery } from '../lane/delivery.ts'
import { mostTries, type Park, type ParkTry } from '../parked-key.ts'
import { type NotedFact, storyBounds, type StoryFact } from '../story/story-fact.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeySlot } from './key-slot.ts'

const mostText = 300

/** Notes a failed attempt: the next commit that speaks of the key tells of it. */
export function noteAttempt(slot: KeySlot, delivery: Delivery, failed: ParkTry): void {
  const seq = delivery.recorded?.position.seq
  // A timer that fails is told by what it holds up.
  if (seq === undefined) return
  const { atMs, tookMs, member } = failed
  const error = masked(failed.error)
  const { attempt: no, notes } = delivery
  const said = notes === undefined ? {} : { notes }
  const fact: StoryFact = { what: 'attempt', atMs, no, tookMs, member, error, ...said }
  slot.untold = [...slot.untold, { seq, fact }].slice(-mostTries)
}

/** What one commit tells of events beside what it does to them. Of what is ordinary it tells nothing. */
export class ToldFacts {
  readonly #settings: EngineSettings
  readonly #facts: NotedFact[] = []

  constructor(settings: EngineSettings) {
    this.#settings = settings
  }

  /** Failed attempts of a key since the last commit that spoke of it. */
  attempts(slot: KeySlot): void {
    if (slot.untold.length === 0) return
    this.#facts.push(...slot.untold)
    slot.untold = []
  }

  /** An event is done, or set aside. Of one that was done in the most ordinary way there is nothing to tell. */
  settled(delivery: Delivery): void {
    if (isRemarkable(delivery)) this.#remark(delivery)
  }

  #remark(delivery: Delivery): void {
    const { recorded, origin, outcome, ruling, notes, attempt, unmet, why = '' } = delivery
    if (recorded === undefined || outcome === 'dead') return
    const { member } = this.#settings
    if (outcome === 'deferred') {
      // Offered again in vain: it is where it was.
      if (origin !== 'deferred')
        this.#tell(recorded.position.seq, { what: 'deferred', member, why: masked(why) })
      return
    }
    this.#tell(recorded.position.seq, {
      what: 'done',
      member,
      attempt,
      ...(origin === 'log' ? {} : { origin }),
      ...(notes === undefined ? {} : { notes }),
      ...(ruling === undefined ? {} : { ruling: ruling.id }),
      ...(unmet ? { unmet: masked(why) } : {}),
    })
  }

  /** All that the commit is to tell, with what its other parts say. */
  parts(
    dead: readonly DeadLetter[],
    parks: readonly Park[],
    effects: readonly EffectToRecord[],
  ): Pick<Commit, 'facts'> {
    const { member } = this.#settings
    for (const { head, note } of parks) {
      // What its line has come to was not tried.
      if (note.reason === 'in-line') continue
      const due = note.dueMs === undefined ? {} : { dueMs: note.dueMs }
      this.#tell(head, { what: 'parked', member, attempts: note.attempts, reason: note.reason, ...due })
    }
    for (const { seq, attempts, reason, message } of dead)
      this.#tell(seq, { what: 'dead', member, attempts, reason, message: masked(message) })
    for (const { seq, name, idempotencyKey } of effects)
      if (seq > 0) this.#tell(seq, { what: 'effect', name, idempotencyKey })
    if (this.#facts.length === 0) return {}
    return { facts: this.#facts.slice(0, storyBounds.facts) }
  }

  #tell(seq: number, fact: WithoutTime<StoryFact>): void {
    this.#facts.push({ seq, fact: { ...fact, atMs: Math.round(this.#settings.clock.now()) } })
  }
}

type WithoutTime<Fact> = Fact extends { readonly atMs: number } ? Omit<Fact, 'atMs'> : never

function isRemarkable({ attempt, origin, outcome, notes, unmet }: Delivery): boolean {
  return attempt > 1 || origin !== 'log' || outcome !== 'done' || notes !== undefined || unmet
}

function masked(text: string): string {
  return cut(maskText(text), mostText)
}
