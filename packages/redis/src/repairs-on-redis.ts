import { MillraceError } from '@millrace/event'
import type { Page } from '@millrace/log'
import {
  assertGroupName,
  type DeadCounts,
  type DeadEffect,
  type DeadFilter,
  type DeadItem,
  type EffectFilter,
  type EffectRepairs,
  type EffectRuleRequest,
  type EffectRuleResult,
  type GroupPartition,
  type MendRequest,
  type MendResult,
  type PageOptions,
  type RecordedEffect,
  type RepairEntry,
  type Repairs,
  type RequeuedEvent,
  type RuleRequest,
  type RuleResult,
} from '@millrace/processor'
import type { Redis } from 'ioredis'
import type { Reach } from './at-once.ts'
import { countDead, deadPage, requeuedPage } from './dead-list.ts'
import { deadEffectsPage, effectNamed, requeuedEffects } from './effect-list.ts'
import { ruleOnEffect } from './effects-rule.ts'
import { readFailure, writeFailure } from './failure.ts'
import { type GroupPlace, type GroupServer, placeOf } from './group-place.ts'
import { groupScripts } from './group-scripts.ts'
import { Keys } from './keys.ts'
import { mendGroup } from './mend.ts'
import { repairsPage } from './repair-log.ts'
import { ruleOn } from './rule.ts'

/** What a group store on Redis is made with. */
export interface GroupBounds {
  readonly prefix?: string
  /** Time in ms; undefined: the server's clock. */
  readonly now?: () => number
  /** How far apart emitted events may be appended by the commit itself. Default `slot`, which is right everywhere. */
  readonly reach?: Reach
  /** How many confirmed and ignored effects are remembered. */
  readonly effectsRemembered?: number
  /** How many withheld effects of a partition are kept. Default 10,000. */
  readonly withheldKept?: number
  /** How many entries the audit log of a partition keeps. */
  readonly repairsKept?: number
}

/** Repairs of groups on Redis, and how all their calls reach it. The connection belongs to the caller. */
export abstract class RepairsOnRedis implements Repairs, EffectRepairs {
  protected readonly server: GroupServer
  /** How many settled effects are remembered. */
  protected readonly remembered: number
  /** How many entries the audit log keeps. */
  protected readonly repairsKept: number

  constructor(redis: Redis, bounds: GroupBounds = {}, scripts = groupScripts) {
    const { now = () => undefined, reach = 'slot', withheldKept = 10_000 } = bounds
    this.server = { redis, scripts, keys: new Keys(bounds.prefix), reach, now, withheldKept }
    this.remembered = bounds.effectsRemembered ?? 10_000
    this.repairsKept = bounds.repairsKept ?? 100_000
  }

  ruleEffect(at: GroupPartition, request: EffectRuleRequest): Promise<EffectRuleResult> {
    const context = {
      now: this.server.now(),
      entriesKept: this.repairsKept,
      remembered: this.remembered,
    }
    return this.write(at, (place) => ruleOnEffect(place, request, context))
  }

  effectNamed(at: GroupPartition, idempotencyKey: string): Promise<RecordedEffect | undefined> {
    return this.read(at, (place) => effectNamed(place, idempotencyKey))
  }

  deadEffects(
    at: GroupPartition,
    options: PageOptions & { readonly filter?: EffectFilter } = {},
  ): Promise<Page<DeadEffect>> {
    return this.read(at, (place) => deadEffectsPage(place, options))
  }

  requeuedEffects(at: GroupPartition, limit = 100): Promise<readonly RecordedEffect[]> {
    return this.read(at, (place) => requeuedEffects(place, limit))
  }

  rule(at: GroupPartition, request: RuleRequest): Promise<RuleResult> {
    const keyIndex = this.server.keys.keyIndex(at.topic, at.partition, request.key)
    const context = { keyIndex, now: this.server.now(), entriesKept: this.repairsKept }
    return this.write(at, (place) => ruleOn(place, request, context))
  }

  deadItems(
    at: GroupPartition,
    options: PageOptions & { readonly filter?: DeadFilter } = {},
  ): Promise<Page<DeadItem>> {
    return this.read(at, (place) => deadPage(place, options))
  }

  deadCounts(at: GroupPartition): Promise<DeadCounts> {
    return this.read(at, countDead)
  }

  requeued(at: GroupPartition, options: PageOptions = {}): Promise<Page<RequeuedEvent>> {
    return this.read(at, (place) => requeuedPage(place, options))
  }

  mend(at: GroupPartition, request: MendRequest): Promise<MendResult> {
    const context = { now: this.server.now(), entriesKept: this.repairsKept }
    return this.write(at, (place) => mendGroup(place, request, context))
  }

  repairEntries(at: GroupPartition, options: PageOptions = {}): Promise<Page<RepairEntry>> {
    return this.read(at, (place) => repairsPage(place, options))
  }

  protected async write<T>(at: GroupPartition, act: (place: GroupPlace) => Promise<T>): Promise<T> {
    assertGroupName(at.group)
    try {
      return await act(placeOf(this.server, at))
    } catch (error) {
      if (error instanceof TypeError) throw error
      const failure = writeFailure(error)
      throw failure.code === 'append.unknown'
        ? new MillraceError('commit.unknown', undefined, { cause: error })
        : failure
    }
  }

  protected async read<T>(at: GroupPartition, act: (place: GroupPlace) => Promise<T>): Promise<T> {
    assertGroupName(at.group)
    try {
      return await act(placeOf(this.server, at))
    } catch (error) {
      if (error instanceof TypeError) throw error
      throw readFailure(error)
    }
  }
}
