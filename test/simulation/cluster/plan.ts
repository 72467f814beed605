import type { Act } from '../act.ts'
import { Seeded } from '../seeded.ts'

/** What befalls one call: it, or its answer, gets lost; it arrives twice, or when nobody waits for it any more. */
export type Disturbance = { readonly step: number; readonly which: number; readonly of: 'any' | 'writes' } & (
  | { readonly kind: 'lose' | 'mute' | 'twice' }
  | { readonly kind: 'late'; readonly byMs: number }
)

/** What befalls one member; `which` picks one of those that live. */
export type Strike = { readonly step: number; readonly which: number } & (
  | { readonly kind: 'kill' | 'stop' }
  /** All its connections break. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'sleep'; readonly forMs: number }
)

/** What an operator decides; `which` picks one of those that wait for him. */
export interface Order {
  readonly id: string
  readonly which: number
  readonly on: 'dead' | 'parked' | 'effect'
  readonly kind: 'ignored' | 'corrected' | 'requeued'
  /** With `corrected`: what the event asks for instead. */
  readonly act: Act
  readonly force: boolean
}

/** Something that is to happen at a step: an event comes, a member starts, or something goes wrong. */
export type Item =
  | Disturbance
  | Strike
  | ({ readonly step: number } & (
      | { readonly kind: 'event'; readonly key: string; readonly act: Act }
      | { readonly kind: 'start' }
      | { readonly kind: 'jump'; readonly ms: number }
      | { readonly kind: 'order'; readonly order: Order }
    ))

/** Everything that a seed decides beside the order of ordinary steps. */
export interface Plan {
  readonly seed: number
  readonly partitions: number
  readonly form: 'handler' | 'pipeline'
  readonly items: readonly Item[]
  /** Steps after which nothing goes wrong any more. */
  readonly steps: number
  /** Which part of the commits reaches the target, and emits at once. */
  readonly atOnce: number
}

export const keys = ['a', 'b', 'cc', 'dd', 'e', 'f'] as const

/** Makes the plan of a seed. */
export function planOf(seed: number): Plan {
  const random = new Seeded(seed)
  const steps = random.between(150, 600)
  const partitions = random.between(1, 3)
  const form = random.chance(0.6) ? 'handler' : 'pipeline'
  const acts = tempersOf(random, 7)
  const events = random.between(8, 40)
  const items: Item[] = []
  const some = (count: number, make: (step: number) => Item) => {
    for (let at = 0; at < count; at++) items.push(make(random.between(0, steps)))
  }
  const members = random.between(2, 4)
  for (let at = 0; at < members; at++)
    items.push({ step: at < 2 ? 0 : random.between(0, steps), kind: 'start' })
  const key = random.pick([2, 3, 6]) ?? 6
  some(events, (step) => ({
    step: random.chance(0.3) ? 0 : step,
    kind: 'event',
    key: keys[random.between(0, key - 1)] ?? 'a',
    act: anyAct(random, acts, form),
  }))
  const which = () => random.between(0, 99)
  const of = () => (random.chance(0.7) ? 'writes' : 'any')
  const amount = (usual: number) => Math.round(usual * random.temper() * random.next() * 2)
  some(amount(1), (step) => ({ step, kind: 'kill', which: which() }))
  some(amount(0.5), (step) => ({ step, kind: 'stop', which: which() }))
  some(amount(1), (step) => ({ step, kind: 'start' }))
  some(amount(2), (step) => ({ step, kind: 'sleep', which: which(), forMs: random.between(20, 3_000) }))
  some(amount(2), (step) => ({ step, kind: 'lose', which: which(), of: of() }))
  some(amount(3), (step) => ({ step, kind: 'mute', which: which(), of: of() }))
  some(amount(1), (step) => ({ step, kind: 'twice', which: which(), of: of() }))
  some(amount(0.7), (step) => ({ step, kind: 'cut', which: which() }))
  some(amount(3), (step) => ({
    step,
    kind: 'late',
    which: which(),
    of: of(),
    byMs: random.between(1, 2_500),
  }))
  some(amount(1), (step) => ({ step, kind: 'jump', ms: random.between(100, 2_500) }))
  // Drawn last, so that all else of a seed is as it would be without them.
  some(amount(4), (step) => ({
    step,
    kind: 'order',
    order: anyOrder(random, `r${items.length}`, acts, form),
  }))
  const atOnce = random.pick([0, 0, 0.5, 0.9]) ?? 0
  return { seed, partitions, form, steps, atOnce, items: items.toSorted((a, b) => a.step - b.step) }
}

function tempersOf(random: Seeded, count: number): readonly number[] {
  return Array.from({ length: count }, () => random.temper())
}

function anyAct(random: Seeded, tempers: readonly number[], form: Plan['form']): Act {
  const [plain = 1, emit = 1, effect = 1, fail = 1, dead = 1, wait = 1, timer = 1] = tempers
  const act = random.weighted<Act>([
    [2 * plain, { do: 'plain' }],
    [3 * emit, { do: 'emit' }],
    [2 * effect, { do: 'effect', id: `q${random.between(1, 99)}` }],
    [2 * fail, { do: 'fail', times: random.between(1, 3) }],
    [dead, { do: 'dead' }],
    [form === 'handler' ? wait : 0, { do: 'wait' }],
    [form === 'pipeline' ? 3 * timer : 0, { do: 'timer', afterMs: 0 }],
  ])
  const slowMs = form === 'handler' && random.chance(0.3) ? random.between(1, 400) : undefined
  return { ...(act ?? { do: 'plain' }), ...(slowMs === undefined ? {} : { slowMs }) }
}

function anyOrder(random: Seeded, id: string, tempers: readonly number[], form: Plan['form']): Order {
  const kind = random.pick(['ignored', 'corrected', 'requeued'] as const) ?? 'requeued'
  const on = random.pick(['dead', 'dead', 'parked', 'parked', 'effect'] as const) ?? 'dead'
  const [plain = 1, emit = 1, effect = 1] = tempers
  const act = anyAct(random, [plain, emit, effect, 0, 0, 0, 0], form)
  return { id, which: random.between(0, 99), on, kind, act, force: random.chance(0.7) }
}
