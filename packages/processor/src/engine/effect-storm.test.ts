import { newEvent, topic, VirtualTime } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { ConsumerEvent } from '../consumer-event.ts'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { defineEffect } from '../model/effect.ts'
import { processor } from '../model/processor.ts'
import { run } from './run.ts'

const orders = topic('orders', { types: { Placed: z.object({ n: z.int() }) }, partitions: 4 })
const hourMs = 60 * 60 * 1_000
const latencyMs = 40

/** What a provider that can be away sees of the mails, in virtual time. */
class Provider {
  up = true
  readonly time: VirtualTime
  readonly sent: { readonly key: string; readonly n: number }[] = []
  tries = 0
  /** When attempts were begun, in ms. */
  begun: number[] = []
  /** Most attempts that one mail has cost it. */
  mostAttempts = 0

  constructor(time: VirtualTime) {
    this.time = time
  }

  async send(key: string, n: number, attempt: number): Promise<void> {
    this.tries += 1
    this.begun.push(this.time.now())
    this.mostAttempts = Math.max(this.mostAttempts, attempt)
    await new Promise<void>((resolve) => this.time.set(latencyMs, resolve))
    if (!this.up) throw new Error(`connection to 10.0.0.${n % 200} was refused`)
    this.sent.push({ key, n })
  }
}

async function storm(count: number, keys: number) {
  const time = new VirtualTime()
  const log = createMemoryLog({ clock: time })
  const store = createMemoryGroupStore({ log, clock: time })
  const provider = new Provider(time)
  const news: ConsumerEvent[] = []
  const mail = defineEffect('mail', {
    schema: z.object({ n: z.int() }),
    run: ({ n }, { key, attempt }) => provider.send(key, n, attempt),
  })
  const mails = processor('mails', orders, {
    effects: [mail],
    handle: (event, context) => context.effect(mail, event.data),
  })
  const append = async (from: number, to: number) => {
    const units = Array.from({ length: to - from }, (_, at) => ({
      events: [newEvent(orders, { type: 'Placed', key: `k${(from + at) % keys}`, data: { n: from + at } })],
    }))
    for (let at = 0; at < units.length; at += 500) await log.append(orders, units.slice(at, at + 500))
  }
  const running = await run(mails, {
    ...{ log, store, clock: time, timers: time, elapsedMs: () => time.now(), random: () => 0.5 },
    observe: (event) => news.push(event),
    handlerTimeoutMs: hourMs,
  })
  const until = async (holds: () => boolean, stepMs: number, mostMs: number) => {
    for (const endMs = time.now() + mostMs; !holds() && time.now() < endMs;) await time.pass(stepMs, 4)
    expect(holds()).toBe(true)
  }
  return { time, provider, news, running, append, until, store, count }
}

test('a provider that is down for an hour: nobody skipped, order kept, no attempts spent, drained by a ramp', async () => {
  const count = 50_000
  const { time, provider, news, running, append, until, store } = await storm(count, 2_000)
  await append(0, 100)
  await until(() => provider.sent.length === 100, 100, 60_000)
  provider.up = false
  await append(100, count)
  const triesBefore = provider.tries
  const downAtMs = time.now()
  for (let minute = 0; minute < 60; minute++) await time.pass(60_000, 4)
  expect(time.now() - downAtMs).toBe(hourMs)
  // Those that were under way when it went, then a probe a minute.
  expect(provider.tries - triesBefore).toBeLessThan(64 + 80)
  expect(provider.mostAttempts).toBeLessThanOrEqual(2)
  expect(news.filter(({ kind }) => kind === 'effects-full').length).toBe(orders.partitions)
  expect(news.filter(({ kind }) => kind === 'stalled' || kind === 'ended' || kind === 'effect-dead')).toEqual(
    [],
  )
  const { state, partitions } = running.health()
  expect([state, partitions.every(({ owned }) => owned)]).toEqual(['degraded', true])

  provider.up = true
  provider.begun = []
  const isClosed = (one: ConsumerEvent) => one.kind === 'effect-breaker' && one.state === 'closed'
  await until(() => news.some(isClosed), 1_000, 120_000)
  // The probe, then ever more: what had waited is not let go at once.
  const [probedAtMs = 0] = provider.begun
  const rounds = [0, 1, 2, 3, 4].map(
    (round) => provider.begun.filter((atMs) => Math.floor((atMs - probedAtMs) / latencyMs) === round).length,
  )
  expect(rounds).toEqual([1, 1, 2, 4, 8])
  await until(() => provider.sent.length >= count, 500, hourMs)
  await time.pass(10_000, 4)
  expect(provider.sent).toHaveLength(count)
  const last = new Map<string, number>()
  for (const { key, n } of provider.sent) {
    expect(n).toBeGreaterThan(last.get(key) ?? -1)
    last.set(key, n)
  }
  expect(provider.mostAttempts).toBeLessThanOrEqual(2)
  const stopped = running.stop()
  await time.pass(20_000, 4)
  await stopped
  const ledgers = await Promise.all(
    Array.from({ length: orders.partitions }, (_, partition) =>
      store.audit({ topic: orders, partition, group: 'mails' }),
    ),
  )
  expect(ledgers.flatMap(({ differences }) => differences)).toEqual([])
  const { dead, confirmed } = ledgers.reduce(
    (sum, { counters: { effects } }) => ({
      dead: sum.dead + effects.dead,
      confirmed: sum.confirmed + effects.confirmed,
    }),
    { dead: 0, confirmed: 0 },
  )
  expect({ dead, confirmed }).toEqual({ dead: 0, confirmed: count })
})
