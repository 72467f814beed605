import { createMemoryRetryClock, type RetryClock } from '@millrace/retry'
import { randomOf, testSeed } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import type { Commit } from '../../commit.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { mergeMap } from '../../operators/merge-map.ts'
import { evolve } from '../../operators/evolve.ts'
import { type EngineUnderTest, leaseMs, type Player, type Scene, sceneOf } from './scene.ts'
import type { StoreCall } from './store-faults.ts'

interface CrashPoint {
  readonly what: string
  readonly when: 'before' | 'after'
  readonly at: (call: StoreCall) => boolean
}

const parks = (fits: (one: NonNullable<Commit['parks']>[number]) => boolean) => (call: StoreCall) =>
  call.commit?.parks?.some((one) => one.key === 'a' && fits(one)) ?? false
const unparks = ({ commit }: StoreCall) => commit?.unparks?.some(({ key }) => key === 'a') ?? false
const isFirst = parks(({ tried, note }) => tried === undefined && note.attempts > 0)
const isTried = parks(({ tried }) => tried === true)
const isMoved = parks(({ note }) => note.reason === 'in-line')

/** Every step of a parked key at which its owner may die. */
const points: readonly CrashPoint[] = [
  { what: 'before the commit that parks', when: 'before', at: isFirst },
  { what: 'after the commit that parks, before its job is planned', when: 'after', at: isFirst },
  { what: 'due, before the mark', when: 'before', at: ({ name }) => name === 'markDue' },
  { what: 'marked, before the owner looks', when: 'after', at: ({ name }) => name === 'markDue' },
  { what: 'before the mark is read', when: 'before', at: ({ name }) => name === 'rulings' },
  { what: 'the line is read, before it is run', when: 'after', at: ({ name }) => name === 'rulings' },
  { what: 'an attempt has failed, before the commit that says so', when: 'before', at: isTried },
  { what: 'an attempt has failed, after that commit', when: 'after', at: isTried },
  { what: 'in the line, before the commit that moves the head', when: 'before', at: isMoved },
  { what: 'in the line, after it', when: 'after', at: isMoved },
  { what: 'before the commit that unparks', when: 'before', at: unparks },
  { what: 'after the commit that unparks', when: 'after', at: unparks },
]

/** What is left of parked keys when members die, and random histories of failures. */
export function describeParkedCrashes(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  for (const point of points)
    test(`killed: ${point.what}`, () =>
      scene(async (stage) => {
        const failures = new Map([
          [1, 4],
          [6, 2],
        ])
        let mostAtOnce = 0
        const folds = () => {
          let atOnce = 0
          return processor('folds', stage.source, {
            state: state<readonly number[]>({ initial: () => [] }),
            handle: async (event, context) => {
              const watched = context.key === 'a'
              if (watched) mostAtOnce = Math.max(mostAtOnce, (atOnce += 1))
              await Promise.resolve()
              if (watched) atOnce -= 1
              const left = watched ? (failures.get(event.data.n) ?? 0) : 0
              failures.set(event.data.n, left - 1)
              if (left > 0) throw new Error('not yet')
              context.evolve([...context.state, event.data.n])
            },
          })
        }
        const options = { commitEvery: 2, attempts: 100, quickRetries: 1 }
        const clock = mortal(stage)
        const first = await stage.start(folds(), { ...options, retryClock: clock.clock })
        clock.of(first)
        first.faults.cutAt(point.when, point.at)
        await stage.append('a', 'b', 'a', 'b', 'a', 'a', 'a', 'a', 'b')
        await stage.until(() => first.faults.isCut)
        stage.subject.advance(leaseMs + 1)
        await stage.append('a', 'b')
        const second = await stage.start(folds(), options)
        await stage.reached(second, 11)
        await stage.unparked('folds')
        expect(await stage.stateOf('folds', 'a')).toEqual([1, 3, 5, 6, 7, 8, 1])
        expect(await stage.stateOf('folds', 'b')).toEqual([2, 4, 9, 2])
        expect(mostAtOnce).toBe(1)
        expect(await stage.differences('folds')).toEqual([])
      }))

  const given = testSeed()
  for (const policy of ['hold-key', 'skip-event'] as const)
    for (const kind of ['handler', 'pipeline'] as const)
      for (const seed of [given, given + 1])
        test(`random failures of a ${kind}, ${policy}: order, fold and ledger (seed ${seed})`, () =>
          scene(async (stage) => {
            const { found, expected } = await randomFailures(stage, { policy, kind, seed })
            expect(found, `seed ${seed}`).toEqual(expected)
          }))
}

/** A clock of retries that dies with its member. */
function mortal(stage: Scene): { readonly clock: RetryClock; of(player: Player): void } {
  const clock = createMemoryRetryClock({ clock: { now: () => stage.subject.now() } })
  let owner: Player | undefined
  const alive = <T>(act: () => Promise<T>, dead: T) => (owner?.faults.isCut ? Promise.resolve(dead) : act())
  return {
    clock: {
      schedule: (job) => alive(() => clock.schedule(job), undefined),
      sweep: (jobs) => alive(() => clock.sweep(jobs), 0),
      cancel: (id) => alive(() => clock.cancel(id), undefined),
      onDue: (listener) => clock.onDue(listener),
      close: () => clock.close(),
    },
    of(player) {
      owner = player
    },
  }
}

type Plan = 'permanent' | number

async function randomFailures(
  stage: Scene,
  { policy, kind, seed }: { policy: 'hold-key' | 'skip-event'; kind: 'handler' | 'pipeline'; seed: number },
): Promise<{ readonly found: unknown; readonly expected: unknown }> {
  const random = randomOf(seed)
  /** What each event does, by its sequence number: how often it fails, or that it always does. */
  const plans = new Map<number, Plan>()
  const left = new Map<number, number>()
  const outcome = (n: number) => {
    const plan = plans.get(n)
    if (plan === 'permanent') throw new TypeError('never')
    const failures = left.get(n) ?? plan ?? 0
    left.set(n, failures - 1)
    if (failures > 0) throw new Error('not yet')
  }
  const common = {
    state: state<readonly number[]>({ initial: () => [], maxBytes: 1_000_000 }),
    onExhausted: policy,
  }
  const folds =
    kind === 'handler'
      ? processor('folds', stage.source, {
          ...common,
          handle: async (event, context) => {
            if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, random() * 2))
            outcome(event.data.n)
            context.evolve([...context.state, event.data.n])
          },
        })
      : processor('folds', stage.source, {
          ...common,
          pipeline: (lane) =>
            lane.pipe(
              evolve((before, event) => [...before, event.data.n]),
              mergeMap(async ({ event }) => {
                if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, random() * 2))
                outcome(event.data.n)
              }),
            ),
        })
  const keys = Array.from({ length: 8 }, (_, at) => `key-${at}`)
  const log = new Map<string, number[]>()
  let events = 0
  const options = {
    attempts: 1_000,
    commitEvery: 5,
    window: 50,
    quickRetries: 1,
    random,
    retryable: (error: unknown) => !(error instanceof TypeError),
  }
  let player = await stage.start(folds, options)
  for (let turn = 0; turn < 10; turn++) {
    const chosen = Array.from({ length: 25 }, () => keys[Math.floor(random() * keys.length)] ?? '')
    const first = events + 1
    // Planned before it is appended: the member may be quicker than this loop.
    for (const key of chosen) {
      events += 1
      log.set(key, [...(log.get(key) ?? []), events])
      const dice = random()
      plans.set(events, dice < 0.01 ? 'permanent' : dice < 0.2 ? Math.ceil(random() * 4) : 0)
    }
    await stage.appendNumbered(chosen, first)
    await stage.until(() => player.faults.commits.length > 0)
    const dice = random()
    if (dice < 0.25) player.faults.loseAnswers(2)
    else if (dice < 0.5) {
      player.faults.cut()
      stage.subject.advance(leaseMs + 1)
      player = await stage.start(folds, options)
    }
    expect(await stage.differences('folds'), `ledger, seed ${seed}`).toEqual([])
  }
  await stage.reached(player, events)
  await stage.onlyHeld('folds')
  const isDead = (n: number) => plans.get(n) === 'permanent'
  const states: Record<string, unknown> = {}
  const expected: Record<string, unknown> = {}
  for (const [key, numbers] of log) {
    states[key] = (await stage.stateOf('folds', key)) ?? []
    const firstDead = numbers.findIndex(isDead)
    expected[key] =
      policy === 'skip-event'
        ? numbers.filter((n) => !isDead(n))
        : numbers.slice(0, firstDead < 0 ? numbers.length : firstDead)
  }
  const skipped = policy === 'skip-event' ? [...plans.keys()].filter(isDead) : []
  const dead = await stage.deadSeqs('folds')
  const differences = await stage.differences('folds')
  return {
    found: { states, dead, differences },
    expected: { states: expected, dead: skipped, differences: [] },
  }
}
