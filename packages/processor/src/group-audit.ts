import type { MendPart } from './repairs.ts'

/** Where the events of a partition are, for one generation of a group. */
export interface EventCounts {
  readonly done: number
  /** Heads of parked keys. */
  readonly parked: number
  /** Events that wait behind a parked head. */
  readonly lined: number
  readonly deferred: number
  readonly dead: number
  /** Dead letters that wait for their late run. */
  readonly requeued: number
}

/** Where a group's effects of a partition are. */
export interface EffectCounts {
  readonly pending: number
  readonly parked: number
  readonly dead: number
}

/** What the counters of a group's record say, all read in one step. */
export interface GroupCounters extends EventCounts {
  readonly tip: number
  /** Where the group began. */
  readonly base: number
  readonly position: number
  /** How many events are settled beyond the position. */
  readonly ahead: number
  readonly effects: EffectCounts & {
    readonly recorded: number
    readonly confirmed: number
    readonly ignored: number
    /** Recorded by a shadow, and not carried out. */
    readonly withheld: number
    /** Those among them whose bodies are not kept any more. */
    readonly forgotten: number
  }
  /** Outbox entries. */
  readonly outbox: { readonly written: number; readonly forwarded: number }
}

/** What lies in the structures, counted in the same step. */
export interface GroupStructures {
  readonly parked: number
  readonly parkedHeads: number
  /** Undefined: there are too many parked keys to count their lines in one step. */
  readonly lined: number | undefined
  readonly deferredKeys: number
  readonly deferredHeads: number
  /** Undefined: there are too many keys with deferred events to count them in one step. */
  readonly deferred: number | undefined
  readonly dead: number
  readonly requeued: number
  /** Undefined: there are too many parked keys to count those that are held in one step. */
  readonly held: number | undefined
  /** Dead letters and held keys by the index that they are listed by. */
  readonly listed: number
  /** `listed`: dead effects by the index that they are listed by. */
  readonly effects: EffectCounts & {
    readonly open: number
    readonly listed: number
    readonly withheld: number
  }
  readonly outbox: number
  readonly timers: number
}

/** Two numbers that should be the same. */
export interface AuditFinding {
  readonly what: string
  readonly expected: number
  readonly found: number
  /** What of the structures can be made anew to mend it. */
  readonly mend: MendPart
}

/** The ledger of a group's partition. */
export interface GroupAudit {
  readonly generation: number
  readonly counters: GroupCounters
  readonly structures: GroupStructures
  /** Events that the group has not settled: tip − position − ahead. */
  readonly unsettled: number
  readonly findings: readonly AuditFinding[]
  /** The findings in words; none when all is well. */
  readonly differences: readonly string[]
}

/** Compares counters with structures, and both with the two equations of conservation. */
export function auditOf(
  generation: number,
  counters: GroupCounters,
  structures: GroupStructures,
): GroupAudit {
  const findings: AuditFinding[] = []
  const compare = (
    what: string,
    expected: number,
    found: number | undefined,
    mend: MendPart = 'counters',
  ) => {
    if (found !== undefined && found !== expected) findings.push({ what, expected, found, mend })
  }
  const { tip, base, position, ahead, done, parked, lined, deferred, dead, requeued, effects, outbox } =
    counters
  const unsettled = tip - position - ahead
  compare('events', tip - base, done + parked + lined + deferred + dead + requeued + unsettled)
  compare('parked keys', parked, structures.parked)
  compare('heads of parked keys', structures.parked, structures.parkedHeads, 'indexes')
  compare('keys with deferred events', structures.deferredKeys, structures.deferredHeads, 'indexes')
  compare('events in line', lined, structures.lined)
  compare('deferred events', deferred, structures.deferred)
  compare('dead letters', dead, structures.dead)
  compare('letters that wait for a late run', requeued, structures.requeued)
  const { held } = structures
  if (held !== undefined)
    compare('listed letters and held keys', structures.dead + held, structures.listed, 'indexes')
  const open = effects.pending + effects.parked + effects.dead
  compare('effects', effects.recorded, open + effects.confirmed + effects.ignored + effects.withheld)
  compare('withheld effects', effects.withheld - effects.forgotten, structures.effects.withheld)
  compare('pending effects', effects.pending, structures.effects.pending, 'indexes')
  compare('parked effects', effects.parked, structures.effects.parked, 'indexes')
  compare('dead effects', effects.dead, structures.effects.dead, 'indexes')
  compare('listed dead effects', structures.effects.dead, structures.effects.listed, 'indexes')
  compare('open effects', open, structures.effects.open)
  compare('outbox entries', outbox.written - outbox.forwarded, structures.outbox)
  const differences = findings.map(
    ({ what, expected, found }) => `${what}: ${expected} expected, ${found} found`,
  )
  return { generation, counters, structures, unsettled, findings, differences }
}
