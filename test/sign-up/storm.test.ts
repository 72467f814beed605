import { afterEach, beforeEach, expect, test } from 'vitest'
import { randomOf, testSeed } from '../support/random.ts'
import { CutProxy } from '../support/cut-proxy.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type Answer, call, eventsOf, inTurn, Started } from './system.ts'

const seed = testSeed()

let redis: TestRedis
let started: Started

beforeEach(async () => {
  redis = await startRedis({ appendonly: true })
  started = new Started()
})

afterEach(async () => {
  await started.stop()
  await redis.stop()
})

/** An honest visitor: repeats with the same key until he has an answer. The test's own time limit ends a vain wait. */
async function signUp(base: string, visitor: number, email: string): Promise<Answer> {
  const body = { username: `Visitor ${visitor}`, email, password: 'correct horse' }
  for (;;) {
    try {
      const answer = await call(`${base}/users`, 'POST', body, { 'idempotency-key': `visitor-${visitor}` })
      // 408: a server that came to its connection too late.
      if (answer.status < 500 && answer.status !== 408) return answer
      expect([408, 503]).toContain(answer.status)
    } catch (error) {
      // The connection was cut: nobody knows, so he asks again.
      if (!(error instanceof TypeError)) throw error
    }
  }
}

test(`in a storm of cut connections every address gets one account, whose visitor knows it (seed ${seed})`, async () => {
  const random = randomOf(seed)
  const proxies = []
  const clients = []
  for (let instance = 0; instance < 2; instance++) {
    const toRedis = await CutProxy.open(Number(new URL(redis.url).port))
    started.keep(toRedis, () => toRedis.close())
    const toUniq = await CutProxy.open(
      await started.uniq(await started.log(`redis://127.0.0.1:${toRedis.port}`)),
    )
    started.keep(toUniq, () => toUniq.close())
    clients.push(started.uniqClient(toUniq.port))
    proxies.push(toRedis, toUniq)
  }
  const log = await started.log(redis.url)
  const front = await CutProxy.open(Number(new URL(await started.userCommand(inTurn(clients), log)).port))
  started.keep(front, () => front.close())
  proxies.push(front)
  for (const proxy of proxies) proxy.cutWhen(() => random() < 0.1)

  const visitors = 240
  const addresses = 80
  const left = Array.from({ length: visitors }, (_unused, visitor) => visitor)
  const answers = new Map<number, Answer>()
  const emailOf = (visitor: number): string => `address-${visitor % addresses}@example.org`
  const client = async (): Promise<void> => {
    for (let visitor = left.shift(); visitor !== undefined; visitor = left.shift()) {
      const email = random() < 0.5 ? emailOf(visitor) : emailOf(visitor).toUpperCase()
      answers.set(visitor, await signUp(`http://127.0.0.1:${front.port}`, visitor, email))
    }
  }
  await Promise.all(Array.from({ length: 16 }, client))

  for (const proxy of proxies) expect(proxy.cuts).toBeGreaterThan(0)
  const events = await eventsOf(log)
  expect(events).toHaveLength(addresses)
  const owners = new Map(events.map(({ subject, data }) => [subject, addressOf(data)]))
  expect(new Set(owners.values()).size).toBe(addresses)
  const made = [...answers].filter(([, { status }]) => status === 201)
  const lost = [...answers].filter(([, { status }]) => status === 409)
  expect([...answers].filter(([, { status }]) => status !== 201 && status !== 409)).toEqual([])
  expect([made.length, lost.length]).toEqual([addresses, visitors - addresses])
  for (const [visitor, { body }] of made) expect(owners.get(String(body['id']))).toBe(emailOf(visitor))
})

function addressOf(data: unknown): string {
  const email = typeof data === 'object' && data !== null && 'email' in data ? data.email : undefined
  return String(email).toLowerCase()
}
