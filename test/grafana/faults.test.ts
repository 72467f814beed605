import { accounts } from '@millrace/accounts'
import { newEvent, topic } from '@millrace/event'
import { connectLog, type RedisLog } from '@millrace/redis'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { WholeSystem } from '../support/whole-system.ts'
import { panel } from './panel.ts'
import { prometheusIsThere } from './prometheus-tools.ts'
import { RunningPrometheus } from './running-prometheus.ts'
import { visitorsOf } from './visitors.ts'

describe.skipIf(!prometheusIsThere)('a fault moves the panel that is meant for it', () => {
  let provider: FaultySmtpServer
  let system: WholeSystem
  let prometheus: RunningPrometheus
  let log: RedisLog
  let redis: Redis

  beforeAll(async () => {
    provider = await FaultySmtpServer.start()
    system = await WholeSystem.start({ env: { SMTP_URL: provider.url } })
    prometheus = await RunningPrometheus.start(new URL(system.urlOf('OPS')))
    log = await connectLog({ url: system.redisUrl })
    redis = new Redis(system.redisUrl)
    await visitorsOf(system)()
    await prometheus.hasScraped()
  })

  afterAll(async () => {
    redis?.disconnect()
    await log?.close()
    await prometheus?.stop()
    await system?.stop()
    await provider?.stop()
  })

  test('poison: dead letters in an hour and what waits for an operator; its alert is pending', async () => {
    const waiting = `(${panel('For an operator')}) > 0`
    expect(await prometheus.now(waiting)).toEqual([])
    // A producer that has another idea of the type.
    const theirs = topic('accounts', {
      ...{ partitions: accounts.partitions, placement: 'together', slots: accounts.slots },
      types: { AccountCreated: z.object({}) },
    })
    const poison = newEvent(theirs, { type: 'AccountCreated', key: 'poisoned', data: {} })
    await log.append(theirs, [{ events: [poison] }])
    await prometheus.has(waiting)
    await prometheus.has(`(${panel('By reason class')}) > 0`)
    await prometheus.has('ALERTS{alertname="MillraceDeadLettersGrowing",alertstate=~"pending|firing"}')
  })

  test('counters that do not fit: differences of conservation; its alert is pending', async () => {
    const differs = `(${panel('Differences of conservation')}) > 0`
    expect(await prometheus.now(differs)).toEqual([])
    const record = 'mr:{accounts}:0:group:user-query'
    expect(await redis.exists(record)).toBe(1)
    await redis.hincrby(record, 'done', 1)
    await prometheus.has(differs)
    await prometheus.has('ALERTS{alertname="MillraceConservationBroken",alertstate="pending"}')
    await redis.hincrby(record, 'done', -1)
    await prometheus.has(`absent(${differs})`)
  })
})
