import { MillraceError, VirtualTime } from '@millrace/event'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { createMemorySagaStore } from './memory-saga-store.ts'
import { saga, type Step } from './saga.ts'
import { SagaRunner, type SagaRunnerOptions } from './saga-runner.ts'
import type { SagaStore } from './saga-store.ts'

const seed = testSeed()

const refused = new MillraceError('order.finished', 'The order was shipped')
const away = new MillraceError('service.unavailable', 'No answer')

function scene(steps: readonly Step<{ n: number }>[], options: Partial<SagaRunnerOptions> = {}) {
  const time = new VirtualTime(0)
  const store = createMemorySagaStore()
  const runner = (of: SagaStore = store) =>
    new SagaRunner({
      store: of,
      sagas: [saga('order', steps)],
      clock: time,
      timers: time,
      random: () => 0.5,
      retry: { firstMs: 1_000, maxMs: 10_000 },
      ...options,
    })
  const begin = () =>
    store.begin({ id: 's1', saga: 'order', input: { n: 1 }, correlationId: 'c1', startedMs: time.now() })
  return { time, store, runner, begin }
}

test('steps run in order, each with a stable key and what the earlier ones answered', async () => {
  const seen: unknown[] = []
  const { store, runner, begin } = scene([
    {
      name: 'update',
      run: async (input, { idempotencyKey, correlationId, attempt }) => {
        seen.push([input, idempotencyKey, correlationId, attempt])
        return { version: 2 }
      },
    },
    {
      name: 'mail',
      run: async (_, { results, idempotencyKey }) => void seen.push([results, idempotencyKey]),
    },
  ])
  await begin()
  expect(await runner().run('s1')).toMatchObject({ state: 'done', done: 2, failures: 0 })
  expect(seen).toEqual([
    [{ n: 1 }, 'order:s1:update', 'c1', 1],
    [{ update: { version: 2 } }, 'order:s1:mail'],
  ])
  expect(await store.take({ id: 's1' }, 1e9, 1)).toBeUndefined()
})

test('a failure that may pass is tried again at its time, with the same key; what was done is not repeated', async () => {
  const keys: string[] = []
  let failures = 2
  const { time, store, runner, begin } = scene([
    { name: 'update', run: async () => void keys.push('update') },
    {
      name: 'mail',
      run: async (_, { idempotencyKey, attempt }) => {
        keys.push(`${idempotencyKey} ${attempt}`)
        if (failures-- > 0) throw away
      },
    },
  ])
  await begin()
  const one = runner()
  expect(await one.run('s1')).toMatchObject({ state: 'running', done: 1, failures: 1, dueMs: 1_000 })
  one.start()
  await time.pass(4_000, 5)
  expect(await store.get('s1')).toMatchObject({ state: 'done' })
  expect(keys).toEqual(['update', 'order:s1:mail 1', 'order:s1:mail 2', 'order:s1:mail 3'])
  await one.stop()
  expect(time.pending).toBe(0)
})

test('a first step that is refused leaves nothing behind, and says why', async () => {
  const { runner, begin } = scene([{ name: 'update', run: () => Promise.reject(refused) }])
  await begin()
  expect(await runner().run('s1')).toMatchObject({
    state: 'undone',
    error: { code: 'order.finished', step: 'update' },
  })
})

test('what was done is taken back in reverse, and the reason stays known', async () => {
  const undone: string[] = []
  const step = (name: string): Step<{ n: number }> => ({
    name,
    run: async () => name,
    undo: async (_, { results, idempotencyKey }) =>
      void undone.push(`${String(results[name])} ${idempotencyKey}`),
  })
  const { runner, begin } = scene([
    step('a'),
    { name: 'b', run: async () => 'b' },
    step('c'),
    { name: 'd', run: () => Promise.reject(refused) },
  ])
  await begin()
  expect(await runner().run('s1')).toMatchObject({ state: 'undone', done: 0, error: { step: 'd' } })
  expect(undone).toEqual(['c order:s1:c:undo', 'a order:s1:a:undo'])
})

test('a step that cannot be taken back, or that nothing takes back, needs attention; somebody lets it go on', async () => {
  let broken = true
  const { store, runner, begin } = scene([
    { name: 'update', run: async () => 1 },
    {
      name: 'mail',
      whenFailed: 'needs-attention',
      run: async () => {
        if (broken) throw refused
      },
    },
  ])
  await begin()
  expect(await runner().run('s1')).toMatchObject({ state: 'needs-attention', done: 1 })
  broken = false
  expect(await store.decide('s1', 'running', 0)).toBe(true)
  expect(await runner().run('s1')).toMatchObject({ state: 'done', done: 2 })
})

test('attempts run out', async () => {
  const { time, store, runner, begin } = scene(
    [{ name: 'mail', whenFailed: 'needs-attention', run: () => Promise.reject(away) }],
    { attempts: 3 },
  )
  await begin()
  const one = runner()
  one.start()
  await time.pass(60_000, 5)
  expect(await store.get('s1')).toMatchObject({ state: 'needs-attention', failures: 3 })
  await one.stop()
})

test('a step that hangs is given up at its time, and tried again', async () => {
  let attempts = 0
  const { time, runner, begin } = scene(
    [
      {
        name: 'update',
        run: (_, { signal }) =>
          new Promise((resolve) => {
            if (++attempts > 1) resolve(1)
            signal.addEventListener('abort', () => undefined)
          }),
      },
    ],
    { stepMs: 100 },
  )
  await begin()
  const one = runner()
  const running = one.run('s1')
  await time.pass(150, 5)
  expect(await running).toMatchObject({
    state: 'running',
    failures: 1,
    error: { code: 'service.unavailable' },
  })
  await time.pass(5_000)
  expect(await one.run('s1')).toMatchObject({ state: 'done' })
})

test('a stop cuts off what hangs, and the next runner goes on', async () => {
  let attempts = 0
  const { time, store, runner, begin } = scene([
    { name: 'update', run: () => (++attempts === 1 ? new Promise(() => undefined) : Promise.resolve(1)) },
  ])
  await begin()
  const one = runner()
  const running = one.run('s1')
  await time.pass(10, 5)
  const stopped = one.stop()
  await time.pass(2_500, 5)
  await Promise.all([running, stopped])
  expect(await store.get('s1')).toMatchObject({ state: 'running', failures: 0, dueMs: time.now() })
  expect(await runner().run('s1')).toMatchObject({ state: 'done' })
})

test('however often its process is stopped, a step has all its attempts; what is refused for good at a stop is', async () => {
  let asked = Promise.withResolvers<(why: Error) => void>()
  const mail: Step<{ n: number }> = {
    name: 'mail',
    whenFailed: 'needs-attention',
    run: () => new Promise((_, reject) => asked.resolve(reject)),
  }
  const { store, runner, begin } = scene([{ name: 'update', run: async () => 1 }, mail], { attempts: 2 })
  await begin()
  const stopAmid = async (answer: Error) => {
    asked = Promise.withResolvers()
    const one = runner()
    const running = one.run('s1')
    const reject = await asked.promise
    const stopped = one.stop()
    reject(answer)
    await Promise.all([running, stopped])
    return store.get('s1')
  }
  // Who is stopped together with the runner is away.
  for (let stops = 0; stops < 5; stops++)
    expect(await stopAmid(away)).toMatchObject({ state: 'running', done: 1, failures: 0 })
  expect(await stopAmid(refused)).toMatchObject({
    ...{ state: 'needs-attention', error: { code: 'order.finished' } },
  })
})

test('who asks for a saga that the beat has in hand waits for it', async () => {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const { time, runner, begin } = scene([{ name: 'update', run: () => held }])
  await begin()
  const one = runner()
  one.start()
  await time.pass(1_000, 5)
  const asked = one.run('s1')
  release()
  expect(await asked).toMatchObject({ state: 'done' })
  await one.stop()
})

test('a saga that nobody declares is told and left alone', async () => {
  const troubles: unknown[] = []
  const { store, runner } = scene([{ name: 'a', run: async () => 1 }], {
    onTrouble: (error) => troubles.push(error),
  })
  await store.begin({ id: 'x', saga: 'strange', input: 1, correlationId: 'c', startedMs: 0 })
  expect(await runner().run('x')).toMatchObject({ state: 'running', done: 0 })
  expect(troubles).toHaveLength(1)
})

test(`whatever crashes between a step and its record, every step takes place once on its system, in order (seed ${seed})`, async () => {
  // Each system knows the keys that it has seen, as real ones do.
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('ok', 'crash-before', 'crash-after', 'away'), { maxLength: 12 }),
      fc.constantFrom('none', 'c'),
      async (fates, refusedStep) => {
        const done: string[] = []
        const apply = (key: string) => {
          if (!done.includes(key)) done.push(key)
        }
        const fate = () => fates.shift() ?? 'ok'
        let now: string = 'ok'
        const step = (name: string): Step<{ n: number }> => ({
          name,
          run: async (_, { idempotencyKey }) => {
            now = fate()
            if (now === 'away') throw away
            if (name === refusedStep) throw refused
            if (now !== 'crash-before') apply(idempotencyKey)
          },
          undo: async (_, { idempotencyKey }) => {
            now = fate()
            if (now === 'away') throw away
            if (now !== 'crash-before') apply(idempotencyKey)
          },
        })
        const { time, store, runner, begin } = scene(['a', 'b', 'c'].map(step), { attempts: 100 })
        await begin()
        // A crash: the record is never written, and the hold has to run out.
        const crashing: SagaStore = {
          ...store,
          save: async (...saved) => {
            if (!now.startsWith('crash')) return store.save(...saved)
            now = 'ok'
            throw new Error('crashed')
          },
        }
        for (let round = 0; round < 40; round++) {
          await runner(crashing)
            .run('s1')
            .catch(() => undefined)
          await time.pass(120_000)
        }
        const expected =
          refusedStep === 'none'
            ? ['order:s1:a', 'order:s1:b', 'order:s1:c']
            : ['order:s1:a', 'order:s1:b', 'order:s1:b:undo', 'order:s1:a:undo']
        expect(done).toEqual(expected)
        expect((await store.get('s1'))?.state).toBe(refusedStep === 'none' ? 'done' : 'undone')
      },
    ),
    { seed },
  )
})

test('wrong declarations are refused', () => {
  const step = { name: 'a', run: async () => 1 }
  expect(() => saga('Order', [step])).toThrow(TypeError)
  expect(() => saga('order', [])).toThrow('no steps')
  expect(() => saga('order', [step, step])).toThrow('two steps')
})
