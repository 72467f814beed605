import { MillraceError, VirtualTime } from '@millrace/event'
import { expect, test } from 'vitest'
import { EffectBreaker, effectBreakerBounds } from './effect-breaker.ts'
import { effectFailureOf } from './effect-failure.ts'

const bounds = { ...effectBreakerBounds, failures: 3, firstProbeMs: 100, maxProbeMs: 1_000 }

function rig() {
  const time = new VirtualTime()
  const states: string[] = []
  const breaker = new EffectBreaker('mail', bounds, {
    clock: time,
    timers: time,
    random: () => 0.5,
    changed: ({ state }) => states.push(state),
  })
  let rooms = 0
  const forget = breaker.onRoom(() => (rooms += 1))
  const attempt = (id: string, run: () => void) =>
    breaker.enter()
      ? breaker
          .attempt(
            id,
            async () => run(),
            (error) => effectFailureOf(error, kindOf(error)),
          )
          .then(
            () => 'done',
            (error: Error) => error.message,
          )
      : Promise.resolve('waits')
  return { time, states, breaker, attempt, forget, rooms: () => rooms }
}

const kindOf = (error: unknown) =>
  error instanceof MillraceError && error.code === 'mail.refused' ? 'permanent' : 'retry'
const choke = () => {
  throw new Error('500')
}
const refuse = () => {
  throw new MillraceError('mail.refused', 'no such address')
}
const gone = () => {
  throw Object.assign(new Error('fetch failed'), {
    cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
  })
}
const fine = () => undefined

test('failures of several effects in a row open it; nothing is tried until the probe is due', async () => {
  const { attempt, breaker, time, states } = rig()
  for (const id of ['a', 'b', 'c']) expect(await attempt(id, choke)).toBe('500')
  expect(states).toEqual(['open'])
  expect(await attempt('d', fine)).toBe('waits')
  expect(breaker.health()).toMatchObject({ state: 'open', probeAtMs: time.now() + 100, reason: 'Error: <n>' })
  await time.pass(99)
  expect(await attempt('d', fine)).toBe('waits')
  await time.pass(1)
  expect(await attempt('d', fine)).toBe('done')
  expect(states).toEqual(['open', 'half-open', 'closed'])
})

test('an answer in between, also a refusal for good, begins the row anew', async () => {
  const { attempt, states } = rig()
  for (const [id, run] of [
    ['a', choke],
    ['b', choke],
    ['c', refuse],
    ['d', choke],
    ['e', choke],
    ['f', fine],
  ] as const)
    await attempt(id, run)
  expect(states).toEqual([])
})

test('one effect alone that fails does not open it, unless the other end is away for sure', async () => {
  const { attempt, states } = rig()
  for (let turn = 0; turn < 20; turn++) await attempt('poison', choke)
  expect(states).toEqual([])
  await attempt('poison', gone)
  expect(states).toEqual(['open'])
})

test('probes become rarer, one at a time, and a wish of the other end is heeded', async () => {
  const { attempt, breaker, time } = rig()
  for (const id of ['a', 'b', 'c']) await attempt(id, choke)
  const pauses: number[] = []
  for (let turn = 0; turn < 6; turn++) {
    const { probeAtMs = 0 } = breaker.health()
    pauses.push(probeAtMs - time.now())
    await time.pass(probeAtMs - time.now())
    const slow = attempt('a', choke)
    expect(await attempt('b', fine)).toBe('waits')
    await slow
    expect(breaker.probesInVain).toBe(turn + 1)
  }
  expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000])
  await time.pass(1_000)
  await attempt('a', () => {
    throw Object.assign(new Error('429'), { response: { headers: { 'retry-after': '30' } } })
  })
  expect((breaker.health().probeAtMs ?? 0) - time.now()).toBe(30_000)
})

test('what we gave up ourselves neither opens it nor closes it', async () => {
  const { attempt, states, time } = rig()
  const dropped = () => {
    throw new MillraceError('lease.fenced', 'lost')
  }
  for (let turn = 0; turn < 9; turn++) await attempt(`n${turn}`, dropped)
  expect(states).toEqual([])
  for (const id of ['a', 'b', 'c']) await attempt(id, choke)
  await time.pass(100)
  await attempt('d', dropped)
  expect(states).toEqual(['open', 'half-open', 'open'])
})

test('once it has closed, more go at once with each answer', async () => {
  const { breaker, attempt, time } = rig()
  for (const id of ['a', 'b', 'c']) await attempt(id, choke)
  await time.pass(100)
  await attempt('a', fine)
  const most: number[] = []
  for (let round = 0; round < 5; round++) {
    const ends: (() => void)[] = []
    const under: Promise<void>[] = []
    while (under.length < 1_000 && breaker.enter())
      under.push(
        breaker.attempt(
          'x',
          () => new Promise((resolve) => void ends.push(resolve)),
          () => 'failed',
        ),
      )
    most.push(under.length)
    for (const end of ends) end()
    await Promise.all(under)
  }
  expect(most).toEqual([1, 2, 4, 8, 16])
})

test('without anybody who waits it sets no timers, and with somebody it does again', async () => {
  const { attempt, breaker, forget, time, rooms } = rig()
  for (const id of ['a', 'b', 'c']) await attempt(id, choke)
  forget()
  expect(time.pending).toBe(0)
  await time.pass(5_000)
  const before = rooms()
  let more = 0
  breaker.onRoom(() => (more += 1))
  await time.pass(1)
  expect([rooms() - before, more > 0, breaker.enter()]).toEqual([0, true, true])
})
