import type { EffectChange, RuleRequest } from '@millrace/processor'
import fc from 'fast-check'

/** What somebody who tries everything does to a group; shrinks to the least that goes wrong. */
export type GroupStep =
  | { readonly do: 'append'; readonly keys: readonly string[] }
  | { readonly do: 'acquire'; readonly member: string }
  | { readonly do: 'renew' | 'release'; readonly by: Holder }
  | { readonly do: 'commit'; readonly by: Holder; readonly plan: CommitPlan }
  /** The last commit that was sent, once more. */
  | { readonly do: 'repeat' }
  | { readonly do: 'confirm'; readonly by: Holder; readonly changes: readonly EffectPlan[] }
  | { readonly do: 'forward'; readonly count: number }
  | {
      readonly do: 'mark'
      readonly key: string
      readonly later: number
      readonly by: 'clock' | 'operator'
    }
  /** An operator decides about an event, or an effect. */
  | RuleStep
  /** What operators say of a shadow. */
  | ShadowStep
  | EffectRuleStep
  /** A structure is of a foreign type for a while, and a commit meets it. */
  | { readonly do: 'spoil'; readonly structure: number; readonly plan: CommitPlan }
  | { readonly do: 'clock'; readonly ms: number }

export type ShadowStep =
  | {
      readonly do: 'promote'
      readonly key: string
      readonly promoted: boolean | undefined
      readonly percent: number
    }
  | { readonly do: 'settle'; readonly ids: readonly string[]; readonly to: 'released' | 'ignored' }
  | { readonly do: 'drop'; readonly by: Holder; readonly keys: readonly string[]; readonly history: boolean }
  | { readonly do: 'seize' }
  | { readonly do: 'keep'; readonly key: string }

export interface RuleStep {
  readonly do: 'rule'
  /** Which event, as a share of all; `strange`: under another key than its own. */
  readonly share: number
  readonly strange: boolean
  readonly id: string
  readonly kind: RuleRequest['kind']
  readonly data: unknown
  readonly parkNo: number | undefined
  readonly force: boolean
  readonly dryRun: boolean
}

export interface EffectRuleStep extends Omit<RuleStep, 'do' | 'share' | 'strange' | 'parkNo'> {
  readonly do: 'rule effect'
  readonly effect: string
  readonly turn: number | undefined
}

/** Who calls: the holder of the lease, or somebody with a token from before or none. */
export type Holder = 'holder' | 'former' | 'nobody'

/** What a commit is to say; the player fits it to what the group has. */
export interface CommitPlan {
  /** Of the events behind the position, one by one: what becomes of each. */
  readonly fates: readonly Fate[]
  /** What becomes of the heads of parked keys, of the first ones. */
  readonly heads: readonly ('done' | 'dead' | 'again')[]
  /** What becomes of deferred events, of the first ones. */
  readonly waiting: readonly ('done' | 'dead' | 'stay')[]
  /** What becomes of letters that wait for their late run, of the first ones. */
  readonly late: readonly ('done' | 'dead')[]
  /** When the marks were set that its attempts answer; undefined: whatever they are. */
  readonly markMs: number | undefined
  readonly states: readonly { readonly key: string; readonly removed: boolean }[]
  readonly emits: readonly string[]
  readonly effects: readonly string[]
  /** Effects that are not carried out. */
  readonly withheld: readonly string[]
  /** Keys that are taken over. */
  readonly migrations: readonly string[]
  readonly timers: readonly {
    readonly key: string
    readonly name: string
    readonly dueMs: number | undefined
  }[]
  /** How many of the timers that are set fire, and whether the first one is taken for another. */
  readonly fires: number
  readonly mistake: Mistake
}

export type Fate = 'done' | 'dead' | 'park' | 'defer' | 'leave'

/** What is wrong with a commit, if anything. */
export type Mistake =
  | 'none'
  | 'uncounted'
  | 'number before'
  | 'number skipped'
  | 'one too many'
  | 'one too few'
  | 'forgets'
  | 'goes back'
  | 'wrong firing'
  | 'unparks too early'

interface EffectPlan {
  readonly effect: string
  readonly to: EffectChange['to']
  /** Turns before the present one. */
  readonly late: number
  readonly note: unknown
}

export const groupKeys = ['a', 'b', 'Zoë "\\'] as const
export const effectIds = ['e1', 'e2', 'e3', 'e4 "\\'] as const
export const timerNames = ['v', 'w'] as const

const key = fc.constantFrom(...groupKeys)
const holder = fc.constantFrom<Holder>(
  ...Array.from({ length: 10 }, () => 'holder' as const),
  'former',
  'nobody',
)
const few = <T>(one: fc.Arbitrary<T>, most = 3) => fc.array(one, { maxLength: most, size: 'max' })

const commitPlan: fc.Arbitrary<CommitPlan> = fc.record({
  fates: few(fc.constantFrom<Fate>('done', 'done', 'done', 'dead', 'park', 'park', 'defer', 'leave'), 6),
  heads: few(fc.constantFrom('done', 'done', 'dead', 'again')),
  waiting: few(fc.constantFrom('done', 'done', 'dead', 'stay')),
  late: few(fc.constantFrom('done', 'dead'), 2),
  markMs: fc.constantFrom(undefined, 0, Number.MAX_SAFE_INTEGER),
  states: fc.uniqueArray(fc.record({ key, removed: fc.constantFrom(false, false, true) }), {
    maxLength: 3,
    selector: (state) => state.key,
  }),
  emits: few(fc.constantFrom('a', 'b', 'c', 'd', 'e'), 4),
  effects: few(fc.constantFrom(...effectIds)),
  withheld: few(fc.constantFrom(...effectIds, 'e5', 'e6'), 2),
  migrations: few(key, 1).map((keys) => (keys.length > 0 && keys[0] === 'b' ? keys : [])),
  timers: fc.uniqueArray(
    fc.record({
      key,
      name: fc.constantFrom(...timerNames),
      dueMs: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    }),
    { maxLength: 2, selector: (timer) => `${timer.key} ${timer.name}` },
  ),
  fires: fc.nat({ max: 2 }),
  mistake: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Mistake>('none') },
    {
      weight: 6,
      arbitrary: fc.constantFrom<Mistake>(
        'uncounted',
        'number before',
        'number skipped',
        'one too many',
        'one too few',
        'forgets',
        'goes back',
        'wrong firing',
        'unparks too early',
      ),
    },
  ),
})

const effectPlan: fc.Arbitrary<EffectPlan> = fc.record({
  effect: fc.constantFrom(...effectIds),
  to: fc.constantFrom('pending', 'parked', 'dead', 'dead', 'dead', 'confirmed', 'confirmed', 'ignored'),
  late: fc.constantFrom(0, 0, 0, 1),
  note: fc.constantFrom(
    null,
    'away',
    { attempts: 2, error: 'Zoë "\\' },
    { atMs: 7, fingerprint: 'f' },
    { atMs: 3.5, reason: 'mail.refused' },
    { atMs: -1, reason: 'Zoë' },
    [1],
  ),
})

const ruleStep: fc.Arbitrary<RuleStep> = fc.record({
  do: fc.constant('rule'),
  share: fc.nat({ max: 99 }),
  strange: fc.constantFrom(false, false, false, false, true),
  id: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5'),
  kind: fc.constantFrom('ignored', 'corrected', 'requeued'),
  data: fc.constantFrom({ n: 1 }, { n: 'Zoë "\\' }),
  parkNo: fc.constantFrom(undefined, undefined, 1, 2),
  force: fc.boolean(),
  dryRun: fc.constantFrom(false, false, false, true),
})

const shadowStep: fc.Arbitrary<ShadowStep> = fc.oneof(
  fc.record({
    do: fc.constant('promote'),
    key,
    promoted: fc.constantFrom(true, false, undefined),
    percent: fc.constantFrom(0, 12.5, 100),
  }),
  fc.record({
    do: fc.constant('settle'),
    ids: few(fc.constantFrom(...effectIds, 'e5')),
    to: fc.constantFrom('released', 'ignored'),
  }),
  fc.record({ do: fc.constant('drop'), by: holder, keys: few(key), history: fc.boolean() }),
  fc.record({ do: fc.constant('seize') }),
  fc.record({ do: fc.constant('keep'), key }),
)
const effectRuleStep: fc.Arbitrary<EffectRuleStep> = fc.record({
  do: fc.constant('rule effect'),
  effect: fc.constantFrom(...effectIds),
  id: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5'),
  kind: fc.constantFrom('ignored', 'corrected', 'requeued'),
  data: fc.constantFrom({ n: 1 }, { n: 'Zoë "\\' }),
  turn: fc.constantFrom(undefined, undefined, 1, 3),
  force: fc.boolean(),
  dryRun: fc.constantFrom(false, false, false, true),
})

/** Histories of all calls, with how many structures there are to be spoiled. */
export function groupHistory(structures: number): fc.Arbitrary<readonly GroupStep[]> {
  const step: fc.Arbitrary<GroupStep> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('append'), keys: few(key, 5) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('acquire'), member: fc.constantFrom('one', 'one', 'two') }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('renew', 'renew', 'renew', 'release'), by: holder }),
    },
    { weight: 12, arbitrary: fc.record({ do: fc.constant('commit'), by: holder, plan: commitPlan }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat') }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('confirm'),
        by: holder,
        changes: fc.uniqueArray(effectPlan, { maxLength: 3, selector: (plan) => plan.effect }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('mark'),
        key,
        later: fc.constantFrom(0, 0, 0, 1),
        by: fc.constantFrom('clock', 'operator'),
      }),
    },
    { weight: 6, arbitrary: ruleStep },
    { weight: 5, arbitrary: shadowStep },
    { weight: 3, arbitrary: effectRuleStep },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('forward'), count: fc.nat({ max: 3 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('spoil'),
        structure: fc.nat({ max: structures - 1 }),
        plan: commitPlan,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('clock'), ms: fc.constantFrom(1, 999, 1_000, 5_000) }),
    },
  )
  const begun = fc.constant<readonly GroupStep[]>([
    { do: 'acquire', member: 'one' },
    { do: 'append', keys: ['a', 'b', 'a', 'Zoë "\\'] },
  ])
  return fc
    .tuple(begun, fc.array(step, { maxLength: 30, size: 'max' }))
    .map(([first, rest]) => [...first, ...rest])
}
