import type { DeadLetter } from '../dead-letter.ts'
import type { DeferredList } from '../deferred-event.ts'
import type { EffectToRecord } from '../effect-ledger.ts'
import type { Firing, KeyTimer, TimerSetting } from '../key-timer.ts'
import type { Delivery } from '../lane/delivery.ts'
import { encodeRecord, type StoredRecord } from '../model/key-record.ts'
import type { OutboxDraft } from '../outbox.ts'
import type { LineGrowth, Park, Unpark } from '../parked-key.ts'
import type { StateWrite } from '../stored-state.ts'
import { CommitTally } from './commit-tally.ts'
import type { CommitContent } from './engine-lease.ts'
import { Beside } from './beside.ts'
import { letterOf } from './decided.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { Fate } from './fate.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import { deferralOf } from './offers.ts'
import type { LineChange, ParkedLine } from './parked-line.ts'
import { HarvestedEmits } from './harvested-emits.ts'
import { RulingNotes } from './ruling-notes.ts'
import type { SeqWindow } from './seq-window.ts'
import type { ShadowWatch } from './shadow-watch.ts'
import { firstTooLarge, lastChange, withGroup, withoutTail, withoutTorn } from './settled-prefix.ts'
import { ToldFacts } from './told-facts.ts'
import type { Withheld } from './withheld.ts'

// A commit takes a thousand items of each kind and eight million characters; one delivery may bring about a hundred.
const mostItems = 800
const mostSize = 4 * 1024 * 1024

/** What a commit says of a parked key. */
export interface CommittedLine {
  readonly slot: KeySlot
  readonly line: ParkedLine
  /** Number of its head before. */
  readonly no: number | undefined
  readonly change: LineChange
}

/** What a harvest works with. */
export interface HarvestParts {
  readonly lanes: Pick<KeyLanes, 'fates'>
  readonly window: SeqWindow
  readonly withheld: Withheld | undefined
  readonly shadow: ShadowWatch | undefined
}

/** What one commit says, gathered key by key. */
export class Harvest {
  readonly effects: EffectToRecord[] = []
  readonly emits = new HarvestedEmits()
  readonly firings: Firing[] = []
  readonly dead: DeadLetter[] = []
  /** Events whose precondition was missing, and that are done by that. */
  readonly ignored: Delivery[] = []
  /** Timers that were due, whatever they have brought about. */
  readonly fired: KeyTimer[] = []
  /** Requeued letters that it settles. */
  late: readonly number[] = []
  readonly rulings = new RulingNotes()
  /** What became of parked keys. */
  readonly lines: CommittedLine[] = []
  outbox: readonly OutboxDraft[] = []
  /** Deliveries in it. */
  count = 0
  readonly tally: CommitTally | undefined
  readonly #beside = new Beside()
  readonly #told: ToldFacts
  readonly #settings: EngineSettings
  readonly #window: SeqWindow
  readonly #fates: Map<Delivery, Fate>
  readonly #withheld: Withheld | undefined
  readonly #shadow: ShadowWatch | undefined
  readonly #states: StateWrite[] = []
  readonly #parks: Park[] = []
  readonly #unparks: Unpark[] = []
  readonly #growths: LineGrowth[] = []
  readonly #defers: DeferredList[] = []
  readonly #timers: TimerSetting[] = []
  #done = 0
  #size = 0

  constructor(settings: EngineSettings, { window, lanes, withheld, shadow }: HarvestParts) {
    this.#settings = settings
    this.#told = new ToldFacts(settings)
    this.tally = CommitTally.begin(settings)
    this.#window = window
    this.#fates = lanes.fates
    this.#withheld = withheld
    this.#shadow = shadow
  }

  /** No more fits in. */
  get full(): boolean {
    return (
      this.#size > mostSize ||
      Math.max(
        this.effects.length,
        this.firings.length,
        this.#timers.length,
        this.dead.length,
        this.lines.length,
        this.#defers.length,
        this.emits.count,
        this.#beside.count,
      ) >= mostItems
    )
  }

  /**
   * Takes what is settled of a key, as much as fits. Answers the delivery that must not be committed because it made
   * the record too large, with the error; nothing from there on is taken then.
   */
  take(slot: KeySlot): { readonly culprit: Delivery; readonly error: unknown } | undefined {
    const { settled } = slot
    this.#told.attempts(slot)
    let end = this.#fitting(settled)
    if (slot.parked) end = withoutTail(settled, end, slot.parked)
    let record: StoredRecord | undefined
    let fault: { culprit: Delivery; error: unknown } | undefined
    for (;;) {
      const last = lastChange(settled, end)
      if (last === undefined) break
      try {
        record = encodeRecord(this.#settings.processor, last)
        break
      } catch (error) {
        const at = firstTooLarge(this.#settings.processor, settled, end)
        fault = { culprit: settled[at] as Delivery, error }
        end = withoutTorn(settled, at)
      }
    }
    const takenOver = slot.taken !== undefined && this.#beside.takeOver(slot, (one) => this.#setTimer(one))
    let taken = 0
    for (let at = 0; at < end; at++) {
      const delivery = settled[at] as Delivery
      if (delivery.origin === 'line') taken += 1
      this.#add(slot, delivery)
    }
    slot.base = lastChange(settled, end) ?? slot.base
    if (takenOver) record ??= encodeRecord(this.#settings.processor, slot.base)
    if (record) {
      const { key, seq } = slot
      this.#states.push({ key, seq, version: record.version, state: record.state, ops: record.ops })
      this.#size += record.state.length + record.ops.length
    }
    slot.dropSettled(end)
    if (slot.parked) this.#addLine(slot, slot.parked, taken)
    return fault
  }

  /** Everything but the place in the log; `skipped` events were not for this group. */
  content(skipped: number): CommitContent {
    this.#window.advance()
    const { id, seq } = this.#window.position
    this.outbox = this.emits.drafts(this.#settings.taking)
    return {
      position: { id, seq },
      ahead: this.#window.ahead(),
      dead: this.dead,
      done: this.#done + skipped,
      ...(this.#states.length > 0 ? { states: this.#states } : {}),
      ...(this.#parks.length > 0 ? { parks: this.#parks } : {}),
      ...(this.#unparks.length > 0 ? { unparks: this.#unparks } : {}),
      ...(this.#growths.length > 0 ? { lines: this.#growths } : {}),
      ...(this.late.length > 0 ? { late: this.late } : {}),
      ...this.rulings.parts(),
      ...this.#beside.parts(),
      ...(this.#defers.length > 0 ? { defers: this.#defers } : {}),
      ...(this.outbox.length > 0 ? { outbox: this.outbox } : {}),
      ...(this.effects.length > 0 ? { effects: this.effects } : {}),
      ...(this.#timers.length > 0 ? { timers: this.#timers } : {}),
      ...(this.firings.length > 0 ? { firings: this.firings } : {}),
      ...this.#told.parts(this.dead, this.#parks, this.effects),
    }
  }

  /** How many of a key's settled deliveries this commit has room for. */
  #fitting(settled: readonly Delivery[]): number {
    let items = Math.max(this.effects.length, this.emits.count, this.dead.length, this.#timers.length)
    let end = 0
    while (end < settled.length && items < mostItems && this.#size < mostSize) {
      const { emits, effects, timers, outcome, timer } = settled[end] as Delivery
      const more = Math.max(emits?.length ?? 0, effects?.length ?? 0, timers?.length ?? 0)
      items += more + (outcome === 'done' && timer === undefined ? 0 : 1)
      end += 1
    }
    if (end === settled.length) return end
    const whole = withoutTorn(settled, end)
    // A group that went into one value does not fit: all of it or nothing.
    return whole > 0 ? whole : withGroup(settled, end)
  }

  #add(slot: KeySlot, delivery: Delivery): void {
    this.count += 1
    this.tally?.note(delivery)
    this.#told.settled(delivery)
    const { recorded, timers } = delivery
    if (recorded !== undefined) {
      const { seq } = recorded.position
      if (delivery.origin === 'log') this.#window.settle(seq)
      else if (delivery.origin === 'late') this.late = [...this.late, seq].toSorted((a, b) => a - b)
      const behind = Math.max(slot.seq, this.#window.position.seq)
      this.rulings.add(delivery, behind, this.firings.length)
      slot.seq = Math.max(slot.seq, seq)
      if (delivery.outcome === 'done') {
        this.#done += 1
        if (delivery.unmet) this.ignored.push(delivery)
        if (this.#fates.size > 0) this.#fates.delete(delivery)
      } else if (delivery.outcome === 'dead') this.#bury(delivery)
      if (delivery.origin === 'deferred' || delivery.outcome === 'deferred') this.#defer(slot, delivery)
    } else this.#fired(slot, delivery)
    if (this.#withheld?.covers(slot.seq)) this.#withheld.note(delivery)
    else this.#addOutgoing(slot, delivery)
    if (timers !== undefined)
      for (const { name, dueMs } of timers) this.#setTimer({ key: slot.key, name, dueMs })
  }

  #addOutgoing(slot: KeySlot, { emits, effects }: Delivery): void {
    if (emits !== undefined) this.#size += this.emits.add(emits)
    if (effects === undefined) return
    const into = this.#shadow?.promoted(slot.key) === false ? this.#beside.withheld : this.effects
    for (const effect of effects) {
      into.push({ ...effect, seq: slot.seq })
      this.#size += effect.payload.length
    }
  }

  #fired(slot: KeySlot, { key, timer, cause, after }: Delivery): void {
    if (timer === undefined) return
    const { name, dueMs } = timer
    this.fired.push({ key, name, dueMs })
    if (cause !== undefined) this.firings.push({ key, name, dueMs, afterSeq: slot.seq })
    else {
      // Moved or cancelled before it was its turn: the store learns what the record says.
      const record = after ?? slot.lane?.record ?? slot.record
      this.#setTimer({ key, name, dueMs: record.ops[name]?.timer?.dueMs })
    }
  }

  #setTimer(setting: TimerSetting): void {
    const before = this.#timers.findIndex(({ key, name }) => key === setting.key && name === setting.name)
    if (before >= 0) this.#timers.splice(before, 1)
    this.#timers.push(setting)
  }

  #bury(delivery: Delivery): void {
    const letter = letterOf(delivery, this.#fates.get(delivery), this.#settings.clock.now())
    this.#fates.delete(delivery)
    if (letter) this.dead.push(letter)
  }

  #defer(slot: KeySlot, { recorded, why, outcome }: Delivery): void {
    if (recorded === undefined) return
    const { clock, deferMs } = this.#settings
    const { seq } = recorded.position
    const before = slot.deferred.find((one) => one.seq === seq)
    const others = slot.deferred.filter((one) => one !== before)
    if (outcome === 'deferred') {
      if (before && before.why === (why ?? '')) return
      others.push({ ...(before ?? deferralOf(recorded, why, clock.now(), deferMs)), why: why ?? '' })
    }
    slot.deferred = others.toSorted((a, b) => a.seq - b.seq)
    const written = this.#defers.findIndex(({ key }) => key === slot.key)
    if (written >= 0) this.#defers.splice(written, 1)
    this.#defers.push({ key: slot.key, events: slot.deferred })
  }

  /** The line of a parked key moves on, grows or ends. */
  #addLine(slot: KeySlot, line: ParkedLine, taken: number): void {
    for (const timer of line.aside) {
      this.fired.push(timer)
      this.#setTimer({ ...timer, dueMs: undefined })
    }
    this.count += line.aside.length
    line.aside = []
    const { no } = line
    const change = line.change(taken, slot.settled.length > 0, this.#settings.clock.now())
    if (change === undefined) return
    this.lines.push({ slot, line, no, change })
    this.#done += change.settled - taken
    for (const seq of change.linedUp) this.#window.settle(seq)
    this.count += change.linedUp.length + (change.ended ? 1 : 0)
    if (!change.unpark) this.tally?.noteOthers('parked', change.linedUp.length)
    if (change.park) this.#parks.push(change.park)
    else if (change.growth) this.#growths.push(change.growth)
    if (change.unpark) this.#unparks.push(change.unpark)
    if (line.head !== undefined) return
    slot.parked = undefined
    for (const [name, { timer }] of Object.entries(slot.base.ops))
      if (timer) this.#setTimer({ key: slot.key, name, dueMs: timer.dueMs })
  }
}
