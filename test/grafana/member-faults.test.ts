import { setTimeout as delay } from 'node:timers/promises'
import { accounts } from '@millrace/accounts'
import {
  connectGroupStore,
  connectMemberList,
  type RedisGroupStore,
  type RedisMemberList,
} from '@millrace/redis'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WholeSystem } from '../support/whole-system.ts'
import { panel } from './panel.ts'
import { prometheusIsThere } from './prometheus-tools.ts'
import { RunningPrometheus } from './running-prometheus.ts'
import { SecondProcess } from './second-process.ts'
import { visitorsOf } from './visitors.ts'

/** Two minutes would be too long to wait for here. */
const stillSeconds = 5
const patienceMs = 180_000
/** Between two thefts. */
const pauseMs = 100

describe.skipIf(!prometheusIsThere)('a fault of members moves the panel that is meant for it', () => {
  let provider: FaultySmtpServer
  let system: WholeSystem
  let second: SecondProcess
  let prometheus: RunningPrometheus
  let groups: RedisGroupStore
  let members: RedisMemberList
  let signUp: () => Promise<void>

  beforeAll(async () => {
    provider = await FaultySmtpServer.start()
    system = await WholeSystem.start({ env: { SMTP_URL: provider.url } })
    second = await SecondProcess.start(system, provider.url)
    prometheus = await RunningPrometheus.start(new URL(system.urlOf('OPS')), {
      also: [second.url],
      rules: impatient,
    })
    groups = await connectGroupStore({ url: system.redisUrl })
    members = await connectMemberList({ url: system.redisUrl })
    signUp = visitorsOf(system)
    await signUp()
    await prometheus.hasScraped()
  })

  afterAll(async () => {
    await members?.close()
    await groups?.close()
    await prometheus?.stop()
    await second?.stop()
    await system?.stop()
    await provider?.stop()
  })

  /** Visitors come, one after the other, until an expression has a series. */
  const signUpUntil = async (query: string) => {
    for (let visitors = 0; (await prometheus.now(query)).length === 0; visitors++)
      if (visitors > 2_000) throw new Error(`Not after 2,000 sign-ups: ${query}`)
      else await signUp()
  }

  /** The expression that says that another one is larger than now; Prometheus estimates what it counts over a time. */
  const grows = async (query: string) => {
    let before: number | undefined
    const look = async () => (before = (await prometheus.now(query))[0]?.values[0])
    // A scrape that was late leaves a gap.
    await expect.poll(look, { message: query }).toEqual(expect.any(Number))
    return `${query} > ${(before ?? 0) + 0.5}`
  }

  test(
    'commits that are fenced: their rate, and partitions that were lost; the group goes on',
    async () => {
      const group = 'user-query'
      const fenced = `${panel('Commits by outcome', { group, outcome: 'fenced' })} > 0`
      const lost = `${panel('Partitions given up in an hour', { group, reason: 'lost' })} > 0`
      for (const quiet of [fenced, lost]) expect(await prometheus.now(quiet)).toEqual([])
      const thief = new Thief(groups, group)
      await thief.during(() => signUpUntil(fenced))
      await prometheus.has(lost)
      await prometheus.has(`max ${panel('Lag', { group })} == 0`)
      expect(await prometheus.now(`${panel('Differences of conservation', { group })} > 0`)).toEqual([])
    },
    patienceMs,
  )

  test(
    'a member that lives and does nothing: lag, age, time without progress; the alert is pending, until it leaves',
    async () => {
      const at = { topic: accounts, group: 'user-query' }
      const of = { group: at.group }
      const lag = `${panel('Lag', of)} > 5`
      const age = `${panel('Age of the oldest unprocessed event', of)} > ${stillSeconds}`
      const still = `${panel('Without progress', of)} > ${stillSeconds}`
      const alert = `ALERTS{alertname="MillraceNoProgress",group="${at.group}",alertstate=~"pending|firing"}`
      for (const quiet of [lag, age, still, alert])
        await expect.poll(() => prometheus.now(quiet), { timeout: 60_000 }).toEqual([])
      const idle = { member: 'idle', ttlMs: patienceMs, declines: [] }
      await members.heartbeat(at, idle)
      try {
        await signUpUntil(lag)
        for (const moved of [age, still, alert]) await prometheus.has(moved)
        await prometheus.has(`${panel('Partitions given up in an hour', { ...of, reason: 'moved' })} > 0`)
      } finally {
        await members.leave(at, idle.member)
      }
      await prometheus.has(`max ${panel('Lag', of)} == 0`)
      await prometheus.has(`absent(${alert})`)
    },
    patienceMs,
  )

  test(
    'a member that is killed: silent, its partitions with the other; the alert of what is not heard is pending',
    async () => {
      const group = 'mail'
      const all = accounts.partitions
      const leases = (count: number) => `count(${panel('Leases', { group })} == ${count})`
      const silent = `${panel('Members by state', { group, state: 'silent' })} > 0`
      const taken = `sum${panel('Partitions taken in an hour', { group })}`
      const rebalanced = `sum${panel('Rebalances in an hour', { group })}`
      const alert = `ALERTS{alertname="MillraceSilent",instance="${second.url.host}",alertstate="pending"}`
      await prometheus.has(`${leases(all / 2)} == 2`)
      for (const quiet of [silent, alert]) await expect.poll(() => prometheus.now(quiet)).toEqual([])
      const grown = [await grows(rebalanced), await grows(taken)]
      await second.kill()
      for (const moved of [alert, silent, ...grown]) await prometheus.has(moved)
      await prometheus.has(`${leases(all)} == 1`)
    },
    patienceMs,
  )
})

/** The rules of the repository, of which that about progress waits for seconds, not for minutes. */
function impatient(rules: string): string {
  const whole = /(millrace_group_since_progress_seconds\)\)) > 120"/
  expect(rules).toMatch(whole)
  return rules.replace(whole, `$1 > ${stillSeconds}"`)
}

/** Takes the partitions of a group from their owners, and lets go of them at once. */
class Thief {
  readonly #store: RedisGroupStore
  readonly #group: string

  constructor(store: RedisGroupStore, group: string) {
    this.#store = store
    this.#group = group
  }

  /** As long as something lasts. */
  async during(act: () => Promise<void>): Promise<void> {
    const ending = new AbortController()
    await Promise.all([act().finally(() => ending.abort()), this.#steal(ending.signal)])
  }

  async #steal(ending: AbortSignal): Promise<void> {
    for (let turn = 0; !ending.aborted; turn++) {
      const at = { topic: accounts, partition: turn % accounts.partitions, group: this.#group }
      const { token } = await this.#store.seize(at, 'thief', 10_000)
      await this.#store.release(at, token)
      // The owner comes back within a second, and commits again.
      await delay(pauseMs)
    }
  }
}
