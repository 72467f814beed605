import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openDashboardQueues } from '@millrace/bullmq'
import { newEvent } from '@millrace/event'
import { auditPartition, type GroupJobs, type GroupPartition } from '@millrace/processor'
import {
  connectGroupStore,
  connectLog,
  type RedisGroupStore,
  type RedisLog,
  serverOptions,
} from '@millrace/redis'
import { Redis } from 'ioredis'
import { type CrashOrder, type CrashWord, secret } from './order.ts'
import { crashPoints } from './points.ts'
import { diaryOf, group, ordersOf } from './program.ts'

/** Numbers of the events of the key `a`. */
const numbers = [1, 2, 3, 4, 5, 6]
/** Most time that a play may take, in ms. */
const mostMs = 180_000
/** What `millrace audit` waits between its two looks, in ms. */
const sweepMs = 35_000

/** Plays up to a crash point with processes of their own, and beyond it; answers what is wrong. */
export async function playPoint(redisUrl: string, point: number, name: string): Promise<readonly string[]> {
  const { play, who } = crashPoints[point] ?? {}
  if (play === undefined || who === undefined) throw new TypeError(`There is no crash point ${point}`)
  const stage = await Stage.open(redisUrl, name, play)
  try {
    const first = stage.start('member', who === 'member' ? point : undefined)
    await first.ready
    await stage.append()
    if (play !== 'retried') await stage.repaired(first, who === 'repairer' ? point : undefined)
    if (who === 'member') {
      await stage.within(first.died, `nobody died at "${crashPoints[point]?.what}"`)
      await stage.buried(first.name)
      const second = stage.start('member')
      // What the first one has not lived to see is repaired now.
      if (play !== 'retried') await stage.repaired(second, undefined)
    }
    await stage.settled()
    return await stage.faults()
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  } finally {
    await stage.close()
  }
}

interface Actor {
  readonly name: string
  readonly process: ChildProcess
  readonly ready: Promise<unknown>
  readonly died: Promise<unknown>
}

class Stage {
  readonly #url: string
  readonly #play: CrashOrder['play']
  readonly #redis: Redis
  readonly #log: RedisLog
  readonly #store: RedisGroupStore
  readonly #at: GroupPartition
  readonly #actors: Actor[] = []
  readonly #untilMs = Date.now() + mostMs

  private constructor(
    url: string,
    play: CrashOrder['play'],
    parts: { at: GroupPartition; redis: Redis; log: RedisLog; store: RedisGroupStore },
  ) {
    this.#url = url
    this.#play = play
    this.#at = parts.at
    this.#redis = parts.redis
    this.#log = parts.log
    this.#store = parts.store
  }

  static async open(url: string, name: string, play: CrashOrder['play']): Promise<Stage> {
    const at = { topic: ordersOf(name), group, partition: 0 }
    const [log, store] = [await connectLog({ url }), await connectGroupStore({ url })]
    return new Stage(url, play, { at, redis: new Redis(url), log, store })
  }

  start(role: CrashOrder['role'], point?: number): Actor {
    const name = `${role}-${this.#actors.length}`
    const child = fork(path.join(import.meta.dirname, 'crash-process.ts'), [], {
      execArgv: [],
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    const heard = new Promise<CrashWord>((resolve) =>
      child.once('message', (word) => resolve(word as CrashWord)),
    )
    const died = once(child, 'exit')
    child.on('error', () => undefined)
    const order: CrashOrder = {
      ...{ redisUrl: this.#url, topic: this.#at.topic.name, play: this.#play, role, name },
      ...(point === undefined ? {} : { point }),
    }
    child.send(order, () => undefined)
    const actor = { name, process: child, ready: Promise.race([heard, died]), died }
    this.#actors.push(actor)
    return actor
  }

  async append(): Promise<void> {
    const { topic } = this.#at
    const events = [['c', 1] as const, ...numbers.flatMap((n) => [['a', n] as const, ['b', n] as const])]
    for (const [key, n] of events)
      await this.#log.append(topic, [{ events: [newEvent(topic, { type: 'Placed', key, data: { n } })] }])
  }

  /** An operator repairs what waits for him; said again when he was killed. Nothing of it where the member dies first. */
  async repaired(owner: Actor, point: number | undefined): Promise<void> {
    let dead = false
    void owner.died.then(() => (dead = true))
    await this.#until(async () => dead || (await this.#needsRepair()) || (await this.#isRepaired()))
    if (dead || (await this.#isRepaired())) return
    const first = this.start('repairer', point)
    const end = await Promise.race([first.ready, first.died])
    if (point !== undefined && !Array.isArray(end)) throw new Error('the repair was not killed')
    if (point !== undefined) await this.start('repairer').ready
  }

  /** It waits for an operator. */
  async #needsRepair(): Promise<boolean> {
    if (this.#play === 'effect') return (await this.#store.deadEffects(this.#at)).items.length > 0
    const { items } = await this.#store.deadItems(this.#at, { filter: { key: 'a' } })
    return items.length > 0
  }

  async #isRepaired(): Promise<boolean> {
    const { items } = await this.#store.repairEntries(this.#at)
    return items.length > 0 && !(await this.#needsRepair())
  }

  /** A killed process handles nothing any more. */
  async buried(name: string): Promise<void> {
    const diary = diaryOf(this.#at.topic.name)
    for (const key of ['a', 'b', 'c'])
      if ((await this.#redis.get(diary.running(key))) === name) await this.#redis.del(diary.running(key))
  }

  /** Nothing waits but the key that always fails. */
  settled(): Promise<void> {
    return this.#until(async () => {
      const { counters, unsettled } = await this.#store.audit(this.#at)
      const { parked, lined, dead, requeued, effects } = counters
      const waiting = lined + dead + requeued + unsettled + effects.pending + effects.dead
      return waiting === 0 && parked === (this.#play === 'late' ? 0 : 1) && counters.tip === 13
    })
  }

  /** What is not as it was promised. */
  async faults(): Promise<readonly string[]> {
    const { topic } = this.#at
    const diary = diaryOf(topic.name)
    const differences = await this.#audit()
    const atOnce = await this.#redis.lrange(diary.atOnce, 0, -1)
    const states = await this.#store.loadStates(this.#at, ['a', 'b'])
    const [a, b] = states.map(({ state }) => JSON.parse(state?.state ?? 'null') as unknown)
    const late = this.#play === 'late' ? [1, 3, 4, 5, 6, 2] : numbers
    const posted = (await this.#redis.lrange(diary.posted, 0, -1)).map(Number)
    return [
      ...differences.map((one) => `audit: ${one}`),
      ...atOnce.map((one) => `at once: ${one}`),
      ...(JSON.stringify(a) === JSON.stringify(late) ? [] : [`a has become ${JSON.stringify(a)}`]),
      ...(JSON.stringify(b) === JSON.stringify(numbers) ? [] : [`b has become ${JSON.stringify(b)}`]),
      ...(this.#play === 'effect'
        ? numbers.filter((n) => !posted.includes(n)).map((n) => `not posted: ${n}`)
        : []),
    ]
  }

  async #audit(): Promise<readonly string[]> {
    const { topic } = this.#at
    const queues = openDashboardQueues({
      redis: serverOptions(this.#url),
      secret,
      groups: [{ topic: topic.name, group }],
    })
    // A failed job is only the picture of a key that was held: those that are not any more leave within a minute.
    const jobs: GroupJobs = {
      async *jobsOf() {
        for (const job of (await queues.queues[0]?.queue.getJobs()) ?? []) {
          if (job === undefined || (await job.isCompleted()) || (await job.isFailed())) continue
          const ref = queues.refOf(job.data)
          if (ref !== undefined) yield ref
        }
      },
    }
    try {
      const look = (sweepMs: number) =>
        auditPartition({ store: this.#store, log: this.#log, jobs }, this.#at, { sweepMs })
      let found = await look(5_000)
      // A job that was in the hands of the killed process stalls for half a minute; then it is found to do nothing.
      if (found.some(({ what }) => what.startsWith('a job has no park record'))) found = await look(sweepMs)
      return found.map(({ what, key }) => (key === undefined ? what : `${what} (${key})`))
    } finally {
      await queues.close()
    }
  }

  async #until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      if (Date.now() > this.#untilMs)
        throw new Error(
          `it did not come about: ${JSON.stringify((await this.#store.audit(this.#at)).counters)}`,
        )
      await delay(30)
    }
  }

  async within(promise: Promise<unknown>, otherwise: string): Promise<void> {
    const late = Symbol('late')
    const end = await Promise.race([promise, delay(this.#untilMs - Date.now(), late, { ref: false })])
    if (end === late) throw new Error(otherwise)
  }

  async close(): Promise<void> {
    for (const { process: child, died } of this.#actors) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await died
      }
    }
    await this.#store.close()
    await this.#log.close()
    await this.#redis.quit()
  }
}
