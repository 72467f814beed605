import type { Clock } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { checkEffectRule } from './check-effect-rule.ts'
import { checkRule } from './check-rule.ts'
import type { EffectRepairs } from './effect-repairs.ts'
import {
  deadEffectsInMemory,
  effectNamedInMemory,
  requeuedEffectsInMemory,
  ruleEffectInMemory,
} from './memory-effect-repairs.ts'
import type { MemoryGroups } from './memory-groups.ts'
import {
  countDeadInMemory,
  deadItemsInMemory,
  repairEntriesInMemory,
  requeuedInMemory,
  ruleInMemory,
  seqsOfKey,
} from './memory-repairs.ts'
import type { Repairs } from './repairs.ts'

/** How many entries the audit log keeps. */
const most = 100_000

/** The part of a group store in memory that knows of repairs. */
export class RepairsInMemory implements Omit<Repairs, 'mend'>, EffectRepairs {
  readonly #groups: MemoryGroups
  readonly #log: Pick<EventLog, 'readKey'>
  readonly #clock: Clock
  readonly #remembered: number

  /** @param remembered How many settled effects are. */
  constructor(groups: MemoryGroups, log: Pick<EventLog, 'readKey'>, clock: Clock, remembered: number) {
    this.#groups = groups
    this.#log = log
    this.#clock = clock
    this.#remembered = remembered
  }

  rule: Repairs['rule'] = async (at, request) => {
    checkRule(request)
    const seqs = await seqsOfKey((afterVersion) => this.#log.readKey(at.topic, request.key, { afterVersion }))
    return ruleInMemory(this.#groups.of(at), request, { seqs, nowMs: this.#clock.now(), most })
  }

  ruleEffect: EffectRepairs['ruleEffect'] = async (at, request) => {
    checkEffectRule(request)
    const context = { nowMs: this.#clock.now(), most, remembered: this.#remembered }
    return ruleEffectInMemory(this.#groups.of(at), request, context)
  }

  effectNamed: EffectRepairs['effectNamed'] = async (at, id) => effectNamedInMemory(this.#groups.of(at), id)

  deadEffects: EffectRepairs['deadEffects'] = async (at, options = {}) =>
    deadEffectsInMemory(this.#groups.of(at), options)

  requeuedEffects: EffectRepairs['requeuedEffects'] = async (at, limit = 100) =>
    requeuedEffectsInMemory(this.#groups.of(at), limit)

  deadItems: Repairs['deadItems'] = async (at, options = {}) =>
    deadItemsInMemory(this.#groups.of(at), options)

  deadCounts: Repairs['deadCounts'] = async (at) => countDeadInMemory(this.#groups.of(at))

  requeued: Repairs['requeued'] = async (at, options = {}) => requeuedInMemory(this.#groups.of(at), options)

  repairEntries: Repairs['repairEntries'] = async (at, options = {}) =>
    repairEntriesInMemory(this.#groups.of(at), options)
}
