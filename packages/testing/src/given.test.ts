import { AssertionError } from 'node:assert'
import { topic } from '@millrace/event'
import {
  debounceTime,
  defer,
  defineEffect,
  durableDelay,
  effect,
  emit,
  evolve,
  mergeMap,
  processor,
  state,
} from '@millrace/processor'
import { filter, map } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { given, startKit } from './index.ts'

const orders = topic('orders', {
  types: { paid: z.object({ cents: z.int() }), cancelled: z.object({}) },
})
const customers = topic('customers', { types: { promoted: z.object({ cents: z.int() }) } })
const letter = defineEffect('letter', {
  schema: z.object({ cents: z.int() }),
  run: () => {
    throw new Error('This must not happen in a test')
  },
})
const loyalty = processor('loyalty', orders, {
  types: ['paid'],
  state: state({ initial: () => 0 }),
  effects: [letter],
  pipeline: (lane) =>
    lane.pipe(
      evolve((sum, { data }) => sum + data.cents),
      filter(({ before, state: sum }) => before < 10_000 && sum >= 10_000),
      emit(customers, ({ state: sum }) => ({ type: 'promoted', data: { cents: sum } })),
      effect(letter, ({ state: sum }) => ({ cents: sum })),
    ),
})
const paid = (cents: number, key?: string) =>
  ({ type: 'paid', data: { cents }, ...(key === undefined ? {} : { key }) }) as const

describe('given, when, then', () => {
  test('compares state, emitted events and effects of what happens now', async () => {
    await given(loyalty, [paid(6_000)])
      .when(paid(5_000))
      .then({
        state: 11_000,
        emitted: [{ topic: customers, type: 'promoted', key: 'key', data: { cents: 11_000 } }],
        effects: [{ name: 'letter', payload: { cents: 11_000 } }],
      })
    const after = await given(loyalty, [paid(6_000), paid(5_000)])
      .when(paid(1))
      .then({ state: 11_001, emitted: [], effects: [] })
    expect(after.state).toBe(11_001)
  })

  test('keeps keys apart and shows the state of the last one', async () => {
    const { state: sum } = await given(loyalty, [paid(6_000, 'ada')])
      .when(paid(7_000, 'bob'))
      .then({ state: 7_000, emitted: [] })
    expect(sum).toBe(7_000)
  })

  test('answers the outcome to whoever wants to compare himself', async () => {
    const { state: sum, emitted } = await given(loyalty).when(paid(10_000)).outcome()
    expect(sum).toBe(10_000)
    expect(emitted).toMatchObject([{ type: 'promoted' }])
  })

  test.each([
    [{ state: 1 }, 'the state: 1 expected, 5000 found'],
    [{ emitted: [{ type: 'promoted' }] }, 'emitted events: 1 expected, 0 found'],
    [{ effects: [{}] }, 'effects: 1 expected, 0 found'],
    [{ dead: [{}] }, 'dead letters: 1 expected, 0 found'],
  ])('says what is not as expected: %j', async (expected, message) => {
    await expect(given(loyalty).when(paid(5_000)).then(expected)).rejects.toThrow(message)
    await expect(given(loyalty).when(paid(5_000)).then(expected)).rejects.toThrow(AssertionError)
  })

  test('shows what is held, set aside and given up, and fails where none was expected', async () => {
    const strict = processor('strict', orders, {
      handle: () => {
        throw new Error('No such order')
      },
    })
    const strictly = () => given(strict, [], { attempts: 1 }).when(paid(1))
    await strictly().then({ parked: [{ key: 'key', type: 'paid', reason: 'No such order' }] })
    await expect(strictly().then({})).rejects.toThrow('parked keys: 0 expected, 1 found')
    const lenient = processor('lenient', orders, {
      onExhausted: 'skip-event',
      handle: (event, context) => (event.type === 'paid' ? context.dead('no') : context.defer('a payment')),
    })
    await given(lenient)
      .when(paid(1), { type: 'cancelled', data: {} })
      .then({ dead: [{ reason: 'no' }], deferred: [{ type: 'cancelled', reason: 'a payment' }] })
  })
})

describe('virtual time', () => {
  test('passes for held and for durable operators, and for nothing else', async () => {
    const seen: number[] = []
    const calm = processor('calm', orders, {
      types: ['paid'],
      pipeline: (lane) =>
        lane.pipe(
          debounceTime(60_000),
          map(({ data }) => seen.push(data.cents)),
        ),
    })
    const kit = await startKit(calm)
    await kit.append(paid(1), paid(2))
    await kit.pass(59_999)
    expect(seen).toEqual([])
    await kit.pass(1)
    expect(seen).toEqual([2])
    await kit.stop()

    const late = processor('late', orders, {
      types: ['paid'],
      pipeline: (lane) =>
        lane.pipe(
          durableDelay('wait', 600_000),
          emit(customers, ({ data }) => ({ type: 'promoted', data })),
        ),
    })
    await given(late).when(paid(3)).then({ emitted: [] })
    await given(late)
      .when(paid(3))
      .pass(600_000)
      .then({ emitted: [{ data: { cents: 3 } }] })
  })

  test('a retry comes after its pause', async () => {
    let attempts = 0
    const flaky = processor('flaky', orders, {
      handle: () => {
        if (++attempts < 3) throw new Error('not yet')
      },
    })
    const kit = await startKit(flaky)
    await kit.append(paid(1))
    expect(attempts).toBeLessThan(3)
    await kit.pass(120_000)
    expect(attempts).toBe(3)
    expect(await kit.outcome()).toMatchObject({ parked: [], dead: [] })
    await kit.stop()
  })

  test('real work in a handler or a pipeline is waited for', async () => {
    const slow = processor('slow', orders, {
      types: ['paid'],
      state: state({ initial: () => 0 }),
      handle: async (event, context) => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        context.evolve(context.state + event.data.cents)
      },
    })
    expect(await given(slow).when(paid(1), paid(2)).then({ state: 3 })).toMatchObject({ parked: [] })
    const parallel = processor('parallel', orders, {
      types: ['paid'],
      pipeline: (lane) =>
        lane.pipe(
          mergeMap(async (event) => event),
          defer(({ data }) => (data.cents > 1 ? 'more' : undefined)),
        ),
    })
    await given(parallel)
      .when(paid(1), paid(2))
      .then({ deferred: [{ reason: 'more' }] })
  })
})

test('effects are carried out where a test wants that', async () => {
  const sent: number[] = []
  const post = defineEffect('post', { schema: z.object({ n: z.int() }), run: ({ n }) => void sent.push(n) })
  const postal = processor('postal', orders, {
    types: ['paid'],
    effects: [post],
    pipeline: (lane) => lane.pipe(effect(post, ({ data }) => ({ n: data.cents }))),
  })
  await given(postal)
    .when(paid(4))
    .then({ effects: [{ name: 'post' }] })
  expect(sent).toEqual([])
  await given(postal, [], { carryOut: true })
    .when(paid(4))
    .then({ effects: [{ name: 'post' }] })
  expect(sent).toEqual([4])
})
