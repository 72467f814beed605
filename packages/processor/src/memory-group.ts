import { beginning } from '@millrace/log'
import type { EffectCounts, EventCounts } from './group-audit.ts'
import type { GroupStart, Reached } from './group-partition.ts'
import type { JournalledFiring } from './key-timer.ts'
import { noShadowRecord, type ShadowRecord } from './shadow/shadow-record.ts'
import type { OutboxEntry } from './outbox.ts'
import type { RepairEntry } from './repairs.ts'
import type { JournalledLateRun } from './ruling.ts'
import { MemoryStories } from './story/memory-stories.ts'

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/** One group's record and structures of one partition, in memory. Texts are JSON, as an adapter would store them. */
export class MemoryGroup {
  /** How many withheld effects are kept. */
  readonly withheldKept: number
  counter = 0
  token = ''
  member: string | undefined
  untilMs = 0
  n = 0
  /** Whether it has begun; before, `acquire` may say where. */
  begun = false
  base = 0
  /** Where it began, and up to where effects and emits are withheld. */
  start: Required<GroupStart> = { id: beginning, seq: 0, withheldTo: 0 }
  /** Number of the generation that is the live one. */
  generation = 0
  /** With an ephemeral group: when it is gone, in ms since the epoch. */
  expiresAtMs = Number.POSITIVE_INFINITY
  position: Reached = { id: beginning, seq: 0 }
  ahead: readonly number[] = []

  readonly counts: Mutable<EventCounts> = { done: 0, parked: 0, lined: 0, deferred: 0, dead: 0, requeued: 0 }
  readonly effectCounts: Mutable<
    EffectCounts & {
      recorded: number
      confirmed: number
      ignored: number
      withheld: number
      forgotten: number
    }
  > = {
    recorded: 0,
    pending: 0,
    parked: 0,
    dead: 0,
    confirmed: 0,
    ignored: 0,
    withheld: 0,
    forgotten: 0,
  }
  readonly outboxCounts = { written: 0, forwarded: 0 }
  fired = 0

  readonly dead = new Map<number, string>()
  readonly states = new Map<string, string>()
  /** Keys that were taken over from another system. */
  readonly migrations = new Map<string, string>()
  /** Effects that are not carried out, oldest first, by idempotency key. */
  readonly withheld = new Map<string, string>()
  /** Whose effects are carried out. */
  shadow: ShadowRecord = noShadowRecord
  readonly parked = new Map<string, string>()
  /** When parked keys were marked as due. */
  readonly parkedDue = new Map<string, number>()
  /** What operators have decided, by seq. */
  readonly rulings = new Map<number, string>()
  /** Where late runs came, by seq. */
  readonly lateRuns = new Map<number, JournalledLateRun>()
  /** Dead letters that wait for their late run, by seq. */
  readonly requeued = new Map<number, string>()
  /** The audit log of repairs. */
  readonly repairs: RepairEntry[] = []
  repaired = 0
  readonly deferred = new Map<string, string>()
  /** When timers are due, by key and name as JSON. */
  readonly timers = new Map<string, number>()
  readonly journal: JournalledFiring[] = []
  /** Last number of each channel, by target topic and partition. */
  readonly channels = new Map<string, number>()
  readonly outbox = new Map<string, OutboxEntry>()
  /** Open effects, by idempotency key. */
  readonly effects = new Map<string, string>()
  /** Idempotency keys of effects that were confirmed or ignored, oldest first. */
  readonly settledEffects = new Set<string>()
  /** Idempotency keys of effects that operators have put back. */
  readonly requeuedEffects = new Set<string>()
  /** Numbers of effects that were carried out while their key had a dead one, by key, ascending. */
  readonly passedEffects = new Map<string, number[]>()
  /** What became of events. */
  readonly stories = new MemoryStories()

  constructor(withheldKept: number) {
    this.withheldKept = withheldKept
  }

  /** Begins where it is told to. */
  begin({ id, seq, withheldTo = 0 }: GroupStart): void {
    this.begun = true
    this.base = seq
    this.position = { id, seq }
    this.start = { id, seq, withheldTo }
  }

  /** A group whose lease was released has an empty token, which is nobody's. */
  isHeldBy(token: string): boolean {
    return token !== '' && this.token === token
  }
}
