import { type Clock, freshId, MillraceError, parseJson, systemClock, validate } from '@millrace/event'
import type { RecordedEffect } from '../effect-ledger.ts'
import type { EffectFilter, EffectRuleRequest, EffectRuleResult } from '../effect-repairs.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { GroupStore } from '../group-store.ts'
import type { AnyEffect } from '../model/effect.ts'
import { mergePatch } from './merge-patch.ts'
import type { RepairOrder } from './repair-action.ts'
import { tellRepair } from './repair-news.ts'

/** What is to be done with a dead effect. */
export type EffectAction =
  /** It is never carried out. */
  | { readonly do: 'ignore' }
  /** It is carried out as if for the first time. */
  | { readonly do: 'requeue' }
  /** The same with this payload, or with its own under a JSON merge patch. */
  | { readonly do: 'edit'; readonly data: unknown }
  | { readonly do: 'edit'; readonly patch: unknown }

/** What has become of one effect. */
export interface EffectOutcome extends Partial<Pick<RecordedEffect, 'name' | 'key' | 'no' | 'seq'>> {
  readonly partition: number
  readonly idempotencyKey: string
  /** As the store says; `invalid`: its corrected payload breaks the schema of the effect. */
  readonly status: EffectRuleResult['status'] | 'invalid'
  /** Later effects of its key that were carried out meanwhile, by their places in the order of recording. */
  readonly overtaken?: Extract<EffectRuleResult, { status: 'overtaken' }>['overtaken']
  /** Why not, in words. */
  readonly message?: string
  /** Code of the error behind `invalid`. */
  readonly code?: string
}

/** What an {@link EffectRepairer} works with. */
export interface EffectRepairerParts {
  readonly store: Pick<GroupStore, 'ruleEffect' | 'deadEffects' | 'effectNamed'>
  /** The effects of a group by name: their schemas check corrected payloads. Default: none, nothing can be corrected. */
  readonly effectsOf?: (at: GroupPartition) => ReadonlyMap<string, Pick<AnyEffect, 'schema'>> | undefined
  readonly clock?: Clock
}

/** Repairs effects that could not be carried out. See docs/repairs.md. */
export class EffectRepairer {
  readonly #parts: EffectRepairerParts

  constructor(parts: EffectRepairerParts) {
    this.#parts = parts
  }

  /**
   * Repairs one effect. What does not come about is said by the outcome's status, not thrown.
   *
   * @throws MillraceError what the store throws
   */
  async one(
    at: GroupPartition,
    target: Pick<RecordedEffect, 'idempotencyKey'> & Partial<Pick<RecordedEffect, 'turn'>>,
    action: EffectAction,
    order: RepairOrder,
  ): Promise<EffectOutcome> {
    const effect = await this.#parts.store.effectNamed(at, target.idempotencyKey)
    return this.#repaired(at, effect, target, action, order)
  }

  /**
   * Repairs all dead effects that a filter asks for and that died until now (or until the filter's `untilMs`), those
   * that died first before others. One that broke off goes on by the same order: nothing is done twice.
   */
  async *selection(
    at: GroupPartition,
    filter: EffectFilter,
    action: EffectAction,
    order: RepairOrder,
    { signal, page = 100 }: { readonly signal?: AbortSignal; readonly page?: number } = {},
  ): AsyncGenerator<EffectOutcome> {
    const named = { ...order, id: order.id ?? freshId() }
    const untilMs = filter.untilMs ?? (this.#parts.clock ?? systemClock).now()
    let after: string | undefined
    do {
      const found = await this.#parts.store.deadEffects(at, {
        filter: { ...filter, untilMs },
        limit: page,
        ...(after === undefined ? {} : { after }),
      })
      if (signal?.aborted) return
      // In their order on one connection.
      yield* await Promise.all(
        found.items.map(({ effect }) => this.#repaired(at, effect, effect, action, named)),
      )
      after = found.next
    } while (after !== undefined && !signal?.aborted)
  }

  async #repaired(
    at: GroupPartition,
    effect: RecordedEffect | undefined,
    { idempotencyKey, turn }: Pick<RecordedEffect, 'idempotencyKey'> & { readonly turn?: number },
    action: EffectAction,
    { by, reason, force, dryRun, id }: RepairOrder,
  ): Promise<EffectOutcome> {
    const { topic, group, partition } = at
    const place = { partition, idempotencyKey, ...(effect ? placeOf(effect) : {}) }
    let verdict: Pick<EffectRuleRequest, 'kind' | 'payload'>
    try {
      verdict = this.#verdict(at, effect, action)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      return { ...place, status: 'invalid', code: error.code, message: error.message }
    }
    const result = await this.#parts.store.ruleEffect(at, {
      ...verdict,
      id: `${id ?? freshId()}.${partition}.${effect?.no ?? 0}`,
      idempotencyKey,
      by,
      reason,
      ...(turn === undefined ? {} : { turn }),
      ...(force === undefined ? {} : { force }),
      // Of one that is not open the store says what it knows, and nothing else.
      ...(dryRun === true || effect === undefined ? { dryRun: true } : {}),
    })
    if (result.status === 'ruled' && !dryRun) {
      const forced = result.overtaken !== undefined
      const { kind } = verdict
      const seq = effect?.seq ?? 0
      tellRepair({ topic: topic.name, group, partition, seq, kind, on: 'effect', by, forced })
    }
    const overtaken = 'overtaken' in result ? result.overtaken : undefined
    return { ...place, status: result.status, ...(overtaken === undefined ? {} : { overtaken }) }
  }

  #verdict(
    at: GroupPartition,
    effect: RecordedEffect | undefined,
    action: EffectAction,
  ): Pick<EffectRuleRequest, 'kind' | 'payload'> {
    if (action.do === 'ignore') return { kind: 'ignored' }
    if (action.do === 'requeue' || effect === undefined) return { kind: 'requeued' }
    const { name } = effect
    const definition = this.#parts.effectsOf?.(at)?.get(name)
    if (definition === undefined)
      throw new MillraceError(
        'effect.unknown',
        `The definition of effect "${name}" is needed to check its payload`,
      )
    const payload = 'patch' in action ? mergePatch(parseJson(effect.payload), action.patch) : action.data
    return {
      kind: 'corrected',
      payload: validate(definition.schema, payload, `The payload of effect ${name}`),
    }
  }
}

function placeOf({
  name,
  key,
  no,
  seq,
}: RecordedEffect): Pick<RecordedEffect, 'name' | 'key' | 'no' | 'seq'> {
  return { name, key, no, seq }
}
