import { connectRetryClock } from '@millrace/bullmq'
import { EffectRepairer, type GroupStore, Repairer, run } from '@millrace/processor'
import { connectGroupStore, connectLog, serverOptions } from '@millrace/redis'
import type { RetryClock } from '@millrace/retry'
import { Redis } from 'ioredis'
import { type CrashPoint, crashPoints, type Step } from './points.ts'
import { type CrashOrder, type CrashWord, secret, times } from './order.ts'
import { group, ordersOf, programOf } from './program.ts'

// It ends with whoever started it.
process.once('disconnect', () => process.exit())
process.once('message', (order: CrashOrder) => void follow(order))

/** The way to a thing whose calls are steps. */
function walked<T extends object>(
  inner: T,
  on: 'store' | 'clock',
  pass: (step: Step, act: () => unknown) => unknown,
): T {
  return new Proxy(inner, {
    get: (target, name) => {
      const found: unknown = Reflect.get(target, name)
      if (typeof found !== 'function') return found
      return (...args: readonly unknown[]) => {
        const step = stepOf(on, String(name), args)
        return pass(step, () => Reflect.apply(found, target, args) as unknown)
      }
    },
  })
}

function stepOf(on: 'store' | 'clock', name: string, args: readonly unknown[]): Step {
  if (name === 'commit') return { on, name, commit: args[1] as Parameters<GroupStore['commit']>[1] }
  if (name === 'confirmEffects')
    return { on, name, changes: args[2] as Parameters<GroupStore['confirmEffects']>[2] }
  return { on, name }
}

async function follow({ redisUrl: url, topic, play, role, name, point }: CrashOrder): Promise<void> {
  const deadly = point === undefined ? undefined : crashPoints[point]
  const dies = (when: CrashPoint['when'], step: Step): boolean =>
    deadly?.who === role && deadly.when === when && deadly.at(step)
  const pass = async (step: Step, act: () => unknown): Promise<unknown> => {
    if (dies('before', step)) return killed()
    const answer = await act()
    return dies('after', step) ? killed() : answer
  }
  const log = await connectLog({ url })
  const store = walked(await connectGroupStore({ url }), 'store', pass)
  const at = { topic: ordersOf(topic), group, partition: 0 }
  if (role === 'repairer') {
    await repair(play, at, { log, store })
    process.send?.({ type: 'ready' } satisfies CrashWord)
    return
  }
  const redis = new Redis(url)
  const clock = await connectRetryClock({
    ...{ redis: serverOptions(url), topic, group, secret, stalledMs: 1_000 },
    asking: { dueMs: 200, alreadyMs: 400, failedMs: 200 },
  })
  // Inside of an attempt means: what it does is done, and nobody knows.
  const step = (made: Step): void => {
    if (dies('after', made)) void killed()
  }
  await run(programOf(play, topic, { redis, member: name, step }), {
    ...{ log, store, ...times, member: name },
    ...{ commitEvery: 2, quickRetries: 0, effectAttempts: 1, retryClock: steps(clock, pass) },
    attempts: play === 'retried' ? 100 : 2,
    observe: ({ kind }) => kind === 'leased' && process.send?.({ type: 'ready' } satisfies CrashWord),
  })
}

/** The calls that plan and forget are steps; the others are the clock's own. */
function steps(clock: RetryClock, pass: (step: Step, act: () => unknown) => unknown): RetryClock {
  const through = walked(clock, 'clock', pass)
  return {
    schedule: (job) => through.schedule(job),
    cancel: (id) => through.cancel(id),
    sweep: (jobs) => clock.sweep(jobs),
    onDue: (listener) => clock.onDue(listener),
    close: () => clock.close(),
  }
}

/** What an operator orders. Said again as it was, it does nothing twice. */
async function repair(
  play: CrashPoint['play'],
  at: Parameters<GroupStore['rule']>[0],
  on: { readonly log: Awaited<ReturnType<typeof connectLog>>; readonly store: GroupStore },
): Promise<void> {
  const order = { by: 'ada', reason: 'mended', id: 'the-order', force: true }
  if (play === 'effect') {
    const effects = programOf(play, at.topic.name, {
      redis: new Redis({ lazyConnect: true }),
      ...{ member: '', step: () => undefined },
    }).effects
    const repairer = new EffectRepairer({ store: on.store, effectsOf: () => effects })
    const patch = { do: 'edit', patch: { mended: true } } as const
    await ended(repairer.selection(at, { key: 'a' }, patch, order))
    return
  }
  const repairer = new Repairer(on)
  await ended(repairer.key(at, 'a', { do: 'edit', patch: { mended: true } }, order))
}

/** Walks to the end. */
async function ended(steps: AsyncIterable<unknown>): Promise<void> {
  const walk = steps[Symbol.asyncIterator]()
  while ((await walk.next()).done !== true);
}

/** Nothing comes behind it. */
function killed(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}
