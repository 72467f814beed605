import { freshId, MillraceError } from '@millrace/event'
import type { GroupPartition } from '../group-store.ts'
import type { TimerSetting } from '../key-timer.ts'
import type { MigratedKey } from '../migrated-key.ts'
import { emptyRecord, type KeyRecord } from '../model/key-record.ts'
import { recordOfMigration } from '../model/taken-over.ts'
import { hurried } from '../replay/hurried-timers.ts'
import { changeOf } from '../replay/key-change.ts'
import { foldHistory } from '../replay/key-history.ts'
import { migrationOf } from './ask-elsewhere.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeySlot } from './key-slot.ts'

/** What a key begins with whose record is not there, for the commit that carries its first result. */
export interface TakenOver {
  readonly record: KeyRecord
  /** Undefined: it is in the journal already, or nobody was asked. */
  readonly entry: MigratedKey | undefined
  readonly timers: readonly TimerSetting[]
}

/** What a toucher asks of the engine that it works for. */
export interface ToucherOwner {
  /** Sequence number of the last event of the partition that was read. */
  cursor(): number
  touched(slot: KeySlot, taken: TakenOver): void
  failed(slot: KeySlot, error: unknown): void
}

const foldAttempts = 3

/**
 * Finds out what a key begins with that has no record, or whose record was dropped: what the journal of migrations has,
 * or what another system answers, and on top of it the key's own events up to the one that waits. A few keys at a time.
 */
export class KeyToucher {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #owner: ToucherOwner
  readonly #ending = new AbortController()
  readonly #waiting: KeySlot[] = []
  #running = 0

  constructor(settings: EngineSettings, at: GroupPartition, owner: ToucherOwner) {
    this.#settings = settings
    this.#at = at
    this.#owner = owner
  }

  /** The slot is loading until it is touched, or has failed. */
  begin(slot: KeySlot): void {
    slot.phase = 'loading'
    this.#waiting.push(slot)
    this.#next()
  }

  end(): void {
    this.#ending.abort()
    this.#waiting.length = 0
  }

  #next(): void {
    const most = this.#settings.processor.state?.firstTouch?.atOnce ?? 16
    while (this.#running < most) {
      const slot = this.#waiting.shift()
      if (slot === undefined) return
      this.#running += 1
      void this.#touch(slot)
    }
  }

  async #touch(slot: KeySlot): Promise<void> {
    const { signal } = this.#ending
    try {
      const taken = await this.#takeOver(slot)
      if (!signal.aborted) this.#owner.touched(slot, taken)
    } catch (error) {
      if (!signal.aborted) this.#failed(slot, error)
    } finally {
      this.#running -= 1
      this.#next()
    }
  }

  /** Where one gets no answer, those that wait for their turn need not find that out one by one: all of them park. */
  #failed(slot: KeySlot, error: unknown): void {
    const found = asTouch(slot.key, error)
    this.#owner.failed(slot, found)
    if (!isUnavailable(found)) return
    for (const other of this.#waiting.splice(0)) this.#owner.failed(other, unavailable(other.key, found))
  }

  async #takeOver(slot: KeySlot): Promise<TakenOver> {
    const { processor, store, timers, clock, log } = this.#settings
    const { key } = slot
    const next = slot.waiting.firstEvent?.recorded?.position
    const known = (await store.migrations(this.#at, [key])).get(key)
    const entry = known ?? (await this.#ask(slot, next ?? { seq: slot.seq, id: undefined }))
    const from = entry === undefined ? emptyRecord : recordOfMigration(processor, entry)
    const { start } = await store.look(this.#at)
    // Everything of the key before what waits is settled, or set aside in a list.
    const last = next === undefined ? this.#owner.cursor() : next.seq - 1
    const { record } = await foldHistory(
      {
        ...{ processor, clock, timers: hurried(timers), attempts: foldAttempts, log },
        live: { store, at: this.#at },
      },
      key,
      { afterSeq: start.seq, within: ({ position }) => position.seq <= last },
      from,
    )
    const change = changeOf(processor, key, slot.seq, emptyRecord, record)
    return { record, entry: known === undefined ? entry : undefined, timers: change.timers }
  }

  #ask(slot: KeySlot, { seq, id }: Pick<MigratedKey, 'seq' | 'id'>): Promise<MigratedKey> | undefined {
    const { processor, timers, clock } = this.#settings
    const { firstTouch } = processor.state ?? {}
    if (firstTouch === undefined) return undefined
    const { correlationid = freshId() } = slot.waiting.firstEvent?.event ?? {}
    const asked = { key: slot.key, correlationId: correlationid, signal: this.#ending.signal }
    return migrationOf(processor, firstTouch, asked, { timers, nowMs: clock.now(), after: { seq, id } })
  }
}

/** A store that is away is no fault of the event: nothing was tried. */
function asTouch(key: string, error: unknown): unknown {
  if (!(error instanceof MillraceError) || !error.retryable || isUnavailable(error)) return error
  return unavailable(key, error)
}

function isUnavailable(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.code === 'touch.unavailable'
}

function unavailable(key: string, cause: Error): MillraceError {
  return new MillraceError('touch.unavailable', `Key ${key} waits: ${cause.message}`, { cause })
}
