import type { Topic } from '@millrace/event'
import type { AppendUnit, ChannelBatch, ClaimChange, EventLog } from '@millrace/log'
import { claim, happened } from '@millrace/log/contract'
import fc from 'fast-check'

/** What somebody who tries everything does to a log; shrinks to the least that goes wrong. */
export type Step =
  | { readonly do: 'append'; readonly units: readonly UnitPlan[] }
  | {
      readonly do: 'channel'
      readonly channel: string
      readonly incarnation: number
      /** First of the batch, counted from what comes next: below 0 overlaps, above 0 leaves a gap. */
      readonly offset: number
      readonly count: number
      readonly mark: string | undefined
      /** Counter of the fence that the batch carries. */
      readonly fence: number | undefined
    }
  | { readonly do: 'fence'; readonly counter: number; readonly nonce: string }
  | { readonly do: 'clock'; readonly ms: number }

interface UnitPlan {
  readonly key: string
  readonly events: number
  readonly expected: number | 'right' | undefined
  readonly fingerprint: string | undefined
  readonly skipUnchanged: boolean
  readonly claims: readonly ClaimPlan[]
  /** Send the events of an earlier unit again (counted back from the latest), with these demands. */
  readonly repeats: number | undefined
  /** Of a repeat, leave out the first event, or add a new one. */
  readonly torn: 'whole' | 'less' | 'more'
}

interface ClaimPlan {
  readonly constraint: string
  readonly action: ClaimChange['action']
  readonly value: string | null
  readonly versions: readonly string[]
}

export const keys = ['a', 'b', 'c', 'd'] as const
export const constraints = ['email', 'name'] as const
export const values = ['u', 'v', 'w'] as const
export const channels = ['x', 'y'] as const

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })

const claimPlan: fc.Arbitrary<ClaimPlan> = fc.record({
  constraint: fc.constantFrom(...constraints),
  action: fc.constantFrom('claim', 'claim', 'change', 'release'),
  value: fc.option(fc.constantFrom(...values), { nil: null, freq: 5 }),
  versions: fc.constantFrom(['1'], ['1'], ['1', '2'], ['2']),
})

const unitPlan = (withClaims: boolean): fc.Arbitrary<UnitPlan> =>
  fc.record({
    key: fc.constantFrom(...keys),
    events: fc.integer({ min: 1, max: 3 }),
    expected: some(fc.oneof(fc.constant('right' as const), fc.integer({ min: 0, max: 4 }))),
    fingerprint: some(fc.constantFrom('f1', 'f2')),
    skipUnchanged: fc.boolean(),
    claims: withClaims
      ? fc.uniqueArray(claimPlan, { maxLength: 2, selector: (plan) => plan.constraint })
      : fc.constant([]),
    repeats: some(fc.nat({ max: 6 })),
    torn: fc.constantFrom('whole', 'whole', 'whole', 'less', 'more'),
  })

/** Histories of appends, channel batches and clock steps. */
export function historyOf(withClaims: boolean, windowMs: number): fc.Arbitrary<readonly Step[]> {
  const append = fc.record({
    do: fc.constant('append' as const),
    units: fc.array(unitPlan(withClaims), { minLength: 1, maxLength: 4 }),
  })
  const channel = fc.record({
    do: fc.constant('channel' as const),
    channel: fc.constantFrom(...channels),
    incarnation: fc.integer({ min: 1, max: 3 }),
    offset: fc.integer({ min: -2, max: 1 }),
    count: fc.integer({ min: 0, max: 3 }),
    mark: some(fc.constantFrom('m1', 'm2')),
    fence: some(fc.integer({ min: 1, max: 3 })),
  })
  const fence = fc.record({
    do: fc.constant('fence' as const),
    counter: fc.integer({ min: 1, max: 12 }),
    nonce: fc.constantFrom('a', 'a', 'b'),
  })
  const clock = fc.record({
    do: fc.constant('clock' as const),
    ms: fc.oneof(
      fc.integer({ min: -windowMs, max: windowMs }),
      fc.constantFrom(1, windowMs, windowMs - 1, 3 * windowMs),
    ),
  })
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: append },
      { weight: 2, arbitrary: channel },
      { weight: 1, arbitrary: clock },
      { weight: 1, arbitrary: fence },
    ),
    { minLength: 1, maxLength: 25 },
  )
}

/** Turns the plans of one history into units and batches; the same ones for every log that it is played on. */
export class Player {
  readonly #topic: Topic
  /** Asked for what a plan refers to: versions of keys, places of channels. */
  readonly #oracle: EventLog
  readonly #sent: AppendUnit[] = []

  constructor(topic: Topic, oracle: EventLog) {
    this.#topic = topic
    this.#oracle = oracle
  }

  async units(plans: readonly UnitPlan[]): Promise<readonly AppendUnit[]> {
    const units: AppendUnit[] = []
    for (const plan of plans) units.push(await this.#unit(plan))
    return units
  }

  async batch(step: Step & { do: 'channel' }): Promise<ChannelBatch> {
    const state = await this.#oracle.channel(this.#topic, 0, step.channel)
    const next = step.incarnation > state.incarnation ? 1 : state.last + 1
    return {
      partition: 0,
      channel: step.channel,
      incarnation: step.incarnation,
      first: Math.max(1, next + step.offset),
      events: Array.from({ length: step.count }, () => happened(this.#topic, keyOfPartition0)),
      // A batch has events or a mark.
      ...(step.mark === undefined && step.count > 0 ? {} : { mark: step.mark ?? 'm3' }),
      ...(step.fence === undefined ? {} : { fence: { name: 'f', token: `${step.fence}-a` } }),
    }
  }

  async #unit(plan: UnitPlan): Promise<AppendUnit> {
    const earlier = plan.repeats === undefined ? undefined : this.#sent.at(-1 - plan.repeats)
    const key = earlier?.events[0]?.subject ?? plan.key
    const claims = plan.claims.map(({ constraint, action, value, versions }) =>
      claim(action, action === 'release' ? null : value, constraint, versions),
    )
    const fresh = Array.from({ length: plan.events }, (_, at) => happened(this.#topic, key, { at }))
    const { version } = await this.#oracle.readKey(this.#topic, key)
    const unit: AppendUnit = {
      events: earlier ? repeated(earlier, plan.torn, fresh) : fresh,
      ...(plan.expected === undefined
        ? {}
        : { expectedVersion: plan.expected === 'right' ? version : plan.expected }),
      ...(plan.fingerprint === undefined ? {} : { fingerprint: plan.fingerprint }),
      ...(claims.length === 0 ? {} : { claims, skipUnchanged: plan.skipUnchanged }),
      ...(earlier?.claims === undefined ? {} : { claims: earlier.claims }),
    }
    this.#sent.push(unit)
    return unit
  }
}

/** A key that lies in partition 0 of every topic with one or two partitions. */
const keyOfPartition0 = 'b'

function repeated(
  earlier: AppendUnit,
  torn: UnitPlan['torn'],
  fresh: AppendUnit['events'],
): AppendUnit['events'] {
  if (torn === 'less' && earlier.events.length > 1) return earlier.events.slice(1)
  if (torn === 'more') return [...earlier.events, ...fresh.slice(0, 1)]
  return earlier.events
}
