import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { MailBreaker } from './mail-breaker.ts'
import { mailFailureOf } from './mail-failure.ts'
import { mailFailures, reached, scriptedSender } from './testing/index.ts'
import { deliver, quick, started } from './testing/quick-delivery.ts'

const { away, putOff, refused, unknown, givenUp } = mailFailures

describe('the breaker', () => {
  test('opens after so many provider failures in a row and probes ever more slowly', async () => {
    // The clock stands, so that a pause can be told from two looks at it; timers go on.
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    let up = false
    const { sender, tries } = scriptedSender(() => {
      if (!up) throw away()
    })
    const { delivery, states } = started(sender)
    const pauses: number[] = []
    delivery.onStateChange((state) => {
      const { probeAt, since } = delivery.status()
      if (state === 'open' && probeAt !== undefined) pauses.push(probeAt - since)
      if (pauses.length === 5) up = true
      vi.setSystemTime(Date.now() + quick.maxProbeMs)
    })
    const result = await deliver(delivery, 'a')
    expect(result.outcome).toBe('sent')
    expect(pauses).toEqual([8, 16, 32, 40, 40])
    expect(tries).toHaveLength(3 + 5)
    expect(states.slice(0, 3)).toEqual(['open', 'half-open', 'open'])
    expect(states.slice(-2)).toEqual(['half-open', 'closed'])
    expect(delivery.status().lastFailure).toMatchObject({ scope: 'provider', reason: 'ECONNREFUSED' })
  })

  test('stays closed when single addresses are refused or put off', async () => {
    const { sender } = scriptedSender(({ to }) => {
      throw to.startsWith('gone') ? refused() : putOff()
    })
    const { delivery, states } = started(sender)
    const names = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? `gone${n}` : `grey${n}`))
    const results = await Promise.all(names.map((to) => deliver(delivery, to)))
    expect(results.map(({ outcome }) => outcome)).toEqual(
      names.map((_, n) => (n % 2 === 0 ? 'refused' : 'deferred')),
    )
    expect(states).toEqual([])
  })

  test('takes a refusal in between as a sign of life', async () => {
    const breaker = new MailBreaker({ failures: quick.failures, firstProbeMs: 60_000, maxProbeMs: 60_000 })
    const attempt = (error: () => Error) => breaker.attempt(() => Promise.reject(error()))
    for (const error of [away, away, refused, away, unknown]) await attempt(error)
    expect(breaker.state).toBe('closed')
    await attempt(away)
    expect(breaker.state).toBe('open')
    expect(await attempt(away)).toEqual({ kind: 'not-allowed' })
  })

  test('lets the backlog go in its order when the provider is back, and has spent no attempt', async () => {
    let up = false
    const { sender, tries } = scriptedSender(() => {
      if (!up) throw away()
    })
    const { delivery } = started(sender)
    const names = Array.from({ length: 40 }, (_, n) => `n${n}`)
    const results = Promise.all(names.map((to) => deliver(delivery, to)))
    await reached(delivery, 'open')
    await reached(delivery, 'half-open')
    await reached(delivery, 'open')
    expect(delivery.status().waiting).toBeGreaterThanOrEqual(39)
    const before = tries.length
    up = true
    expect((await results).map(({ outcome }) => outcome)).toEqual(names.map(() => 'sent'))
    expect(before).toBeLessThanOrEqual(3 + 3 + 2)
    expect(tries.slice(before)).toEqual(names)
  })

  test('one mail that the provider chokes on does not hold up the others for ever', async () => {
    const { sender, tries } = scriptedSender(({ to }) => {
      if (to === 'poison') throw away()
    })
    const { delivery } = started(sender, { failures: 1, probesPerMail: 2 })
    const poison = deliver(delivery, 'poison')
    await reached(delivery, 'open')
    const others = ['b', 'c', 'd'].map((to) => deliver(delivery, to))
    for (const result of await Promise.all(others)) expect(result.outcome).toBe('sent')
    expect(tries.slice(0, 4)).toEqual(['poison', 'poison', 'poison', 'b'])
    // Others get through each time in between, so its attempts are spent and it steps aside.
    const going = setInterval(() => void deliver(delivery, 'more').catch(() => undefined), 1)
    const result = await poison
    clearInterval(going)
    expect(result).toMatchObject({ outcome: 'deferred', retryAfterMs: 77 })
  })

  test('a probe that was given up does not leave the breaker open for ever', async () => {
    let up = false
    const { sender } = scriptedSender(async () => {
      if (!up) throw away()
    })
    const { delivery } = started(sender, { failures: 1 })
    const controller = new AbortController()
    const first = deliver(delivery, 'a', controller.signal)
    await reached(delivery, 'open')
    const second = deliver(delivery, 'b')
    controller.abort()
    expect(mailFailureOf(await first.catch((error: unknown) => error))).toMatchObject({ reason: 'aborted' })
    up = true
    expect((await second).outcome).toBe('sent')
  })

  test('an attempt that we give up ourselves neither opens nor closes it', async () => {
    let fail: () => Error = givenUp
    const { sender } = scriptedSender(() => {
      throw fail()
    })
    const { delivery, states } = started(sender, { failures: 2 })
    for (let n = 0; n < 5; n += 1)
      await expect(deliver(delivery, `n${n}`)).rejects.toThrow('could not be sent')
    expect(states).toEqual([])
    fail = away
    const waiting = deliver(delivery, 'a').catch(() => 'given up')
    await reached(delivery, 'open')
    fail = givenUp
    await waiting
    expect(states).toEqual(['open', 'half-open', 'open'])
  })

  test('tells a loop when reading on makes sense', async () => {
    let up = false
    const { sender } = scriptedSender(() => {
      if (!up) throw away()
    })
    const { delivery } = started(sender, { failures: 1 })
    await delivery.gate.opened()
    expect(delivery.gate.open).toBe(true)
    const controller = new AbortController()
    const first = deliver(delivery, 'a', controller.signal).catch(() => undefined)
    await reached(delivery, 'open')
    expect(delivery.gate.open).toBe(false)
    const allowed = delivery.gate.opened()
    const impatient = delivery.gate.opened(AbortSignal.timeout(1))
    await expect(impatient).rejects.toThrow('aborted')
    controller.abort()
    await first
    // Nobody else waits, so whoever comes is the probe: the loop must not sleep through it.
    await allowed
    up = true
    expect((await deliver(delivery, 'b')).outcome).toBe('sent')
    expect(delivery.state).toBe('closed')
  })

  test('a stop lets go of everybody who waits', async () => {
    const { sender } = scriptedSender(() => {
      throw away()
    })
    const { delivery } = started(sender, { firstProbeMs: 60_000 })
    const waiting = [
      ...['a', 'b', 'c'].map((to) => deliver(delivery, to)),
      reached(delivery, 'open').then(() => delivery.gate.opened()),
    ].map((wait) => wait.then(() => undefined, mailFailureOf))
    await reached(delivery, 'open')
    await delivery.stop()
    const reasons = (await Promise.all(waiting)).map((failure) => failure?.reason)
    expect(reasons).toEqual(Array(4).fill('stopped'))
    await expect(deliver(delivery, 'late')).rejects.toMatchObject({ code: 'mail.temporary' })
  })
})
