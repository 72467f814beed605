import { setTimeout as pause } from 'node:timers/promises'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { openSuggestionStore, type SuggestionStore } from '@millrace-app/restocking'
import { inDays } from '../restocking/scene.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { between, oneOf, randomOf } from '../support/random.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type CentralScene, openCentral } from './central-scene.ts'
import { type CentralTale, CentralWriters } from './central-writers.ts'
import { ChangeReaders, type ReaderTale } from './change-readers.ts'
import { type FleetTale, RestockingFleet } from './restocking-fleet.ts'
import { openEvents, restlessness } from './open-events.ts'
import { restockingVerdict, type RestockingVerdict } from './restocking-verdict.ts'
import { streamCaughtUp } from './supply-marks.ts'

/** What a run is asked for. */
export interface RestockingRunOptions {
  readonly seed: number
  /** Row changes in the central database. */
  readonly changes: number
  /** SIGKILLs of the reader of the change stream, spread over them; members are killed besides. */
  readonly kills: number
  /** A planted bug, to be found: of a member, or of a reader. */
  readonly bug?: 'applies-twice' | 'forgets-marks'
  readonly onProgress?: (line: string) => void
}

/** What came of it. */
export interface RestockingReport {
  readonly seed: number
  readonly seconds: number
  readonly writers: CentralTale
  readonly readers: ReaderTale
  readonly members: FleetTale
  readonly serverRestarts: { readonly postgres: number; readonly redis: number }
  /** How often everything was filled or counted anew while all this went on. */
  readonly fillings: number
  /** Undefined: it never came to rest. */
  readonly verdict: RestockingVerdict | undefined
}

const readerLeaseMs = 1_000
const memberLeaseMs = 1_500
const memberCount = 3
/** How long a reader may take to begin, in ms. */
const beginMs = 30_000
/** How long everything may take when nothing disturbs it any more, in ms. */
const patienceMs = 180_000

/**
 * Mixed transactions in the central database, readers of its change stream and members of restocking that are killed
 * and put to sleep past their leases, planners who click, and servers that are started again. Then everything that
 * restocking knows and shows is compared with the central database.
 */
export async function runRestocking(options: RestockingRunOptions): Promise<RestockingReport> {
  const { seed, changes, bug, onProgress = () => undefined } = options
  const startMs = performance.now()
  const [redis, postgres] = await Promise.all([startRedis({ appendonly: true }), startPostgres()])
  const [log, groups] = [await connectLog({ url: redis.url }), await connectGroupStore({ url: redis.url })]
  const scene = await openCentral(postgres.url, seed)
  const store = await openSuggestionStore({
    url: postgres.url,
    schemas: { own: 'restocking', view: 'restocking_view' },
    onError: () => undefined,
  })
  const reach = { redisUrl: redis.url, databaseUrl: postgres.url }
  const readers = new ChangeReaders(
    { ...reach, leaseMs: readerLeaseMs, ...(bug === 'forgets-marks' ? { bug } : {}) },
    'supply-reader-process.ts',
  )
  const fleet = new RestockingFleet({
    ...{ ...reach, purchasingUrl: scene.purchasing.url, leaseMs: memberLeaseMs },
    appliesTwice: bug === 'applies-twice',
  })
  const writers = new CentralWriters(scene.central, scene.products, scene.orders, seed)
  const run: Run = {
    options,
    redis,
    postgres,
    log,
    groups,
    scene,
    store,
    readers,
    fleet,
    writers,
    onProgress,
  }
  const working: Promise<void>[] = []
  try {
    readers.start()
    readers.start()
    await readers.someActive(60_000)
    await Promise.all(Array.from({ length: memberCount }, () => fleet.join()))
    working.push(writers.run())
    const first = await fillAmidChanges(run)
    let isOver = false
    const over = () => isOver
    const disturbing = [disturbMembers(run, over), click(run, over)]
    const disturbed = await disturbReaders(run)
    writers.allow(changes)
    // What is to be proven has to happen, however busy the machine is: until it has, they write on.
    const isEnough = () => writers.isDone && fleet.tale.fenced > 0
    for (const untilMs = performance.now() + patienceMs; !isEnough() && performance.now() < untilMs;) {
      if (writers.isDone) writers.allow(writers.tale.changes + 20)
      await pause(20)
    }
    isOver = true
    await Promise.all(disturbing)
    writers.stop()
    await Promise.all(working)
    onProgress('nothing is disturbed any more')
    const verdict = await judged(run)
    return {
      seed,
      seconds: (performance.now() - startMs) / 1_000,
      ...{ writers: writers.tale, readers: readers.tale, members: fleet.tale, verdict },
      serverRestarts: disturbed.serverRestarts,
      fillings: first + disturbed.fillings,
    }
  } finally {
    writers.stop()
    await Promise.all(working)
    await Promise.all([readers.end(), fleet.end()])
    await Promise.all([scene.close(), store.close(), log.close(), groups.close()])
    await Promise.all([redis.stop(), postgres.stop()])
  }
}

interface Run {
  readonly options: RestockingRunOptions
  readonly redis: TestRedis
  readonly postgres: TestPostgres
  readonly log: RedisLog
  readonly groups: RedisGroupStore
  readonly scene: CentralScene
  readonly store: SuggestionStore
  readonly readers: ChangeReaders
  readonly fleet: RestockingFleet
  readonly writers: CentralWriters
  readonly onProgress: (line: string) => void
}

/** The system is empty at first, and is filled while others write. */
async function fillAmidChanges({ options, scene, log, writers }: Run): Promise<number> {
  writers.allow(Math.round(options.changes / (options.kills + 1)))
  await scene.fill(log)
  return 1
}

/** Kills the reader again and again, puts it to sleep past its lease, and starts its servers again. */
async function disturbReaders(run: Run) {
  const { options, readers, writers, scene, log, postgres, redis, onProgress } = run
  const { seed, changes, kills } = options
  const random = randomOf(seed ^ 0x5eed)
  const serverRestarts = { postgres: 0, redis: 0 }
  const every = Math.max(6, Math.ceil(kills / 3))
  let fillings = 0
  for (let turn = 1; turn <= kills; turn++) {
    if (readers.tale.stopped.length > 0) break
    const write = () => writers.allow(Math.round((changes * (turn + 1)) / (kills + 1)))
    if (turn % 12 === 3) await readers.sleepThrough(beginMs, write)
    else write()
    if (turn % every === 2) {
      onProgress('PostgreSQL is started again')
      await postgres.restart()
      serverRestarts.postgres += 1
    } else if (turn % every === 4) {
      onProgress('Redis is killed and started again')
      await redis.kill()
      await redis.restart()
      serverRestarts.redis += 1
    }
    await readers.someActive(beginMs)
    await pause(between(random, 0, 400))
    await readers.kill(random() < 0.7)
    // Others are counted by nothing but differences, from the beginning to the end.
    if (turn === Math.ceil(kills / 2)) {
      await scene.fill(log, (product) => scene.products.indexOf(product) % 3 === 0)
      fillings += 1
    }
    // Not right before Redis is killed: while it syncs, it answers before it has written, for up to two seconds, and
    // nobody publishes this again before the next day. What the database tells is told again.
    if ([1, 5].includes(turn % every))
      await scene.publish(
        log,
        scene.products.filter(() => random() < 0.05),
      )
    if (turn % 10 === 0) onProgress(`${turn} kills of readers, ${writers.tale.changes} changes`)
  }
  await readers.proveFence({ beginMs, patienceMs }, () => writers.allow(writers.tale.changes + 20))
  return { serverRestarts, fillings }
}

/** Kills members, or puts them to sleep past their leases, in turns. */
async function disturbMembers({ options, fleet }: Run, over: () => boolean): Promise<void> {
  const random = randomOf(options.seed ^ 0xf1ee7)
  for (let turn = 0; !over(); turn++) {
    await pause(between(random, 200, 1_200))
    while (fleet.members.length < memberCount) await fleet.join()
    const member = oneOf(random, fleet.members)
    if (turn % 2 === 0) await fleet.kill(member)
    else await fleet.sleepThrough(member)
  }
  while (fleet.members.length < memberCount) await fleet.join()
}

/** Planners who carry suggestions out. */
async function click({ options, fleet, store, scene }: Run, over: () => boolean): Promise<void> {
  const random = randomOf(options.seed ^ 0xc11c)
  const one = async (): Promise<void> => {
    for (let n = 0; !over(); n++) {
      await pause(between(random, 100, 600))
      try {
        const product = oneOf(random, scene.products)
        const [found] = await store.list({ status: 'open', product, limit: 1 })
        if (found) await fleet.click(found.id, `${found.id}-${n}`)
      } catch {
        // PostgreSQL is being started again.
      }
    }
  }
  await Promise.all([one(), one()])
}

/** Waits until everything has come to rest, lets each product's stock be told once more, and judges. */
async function judged(run: Run): Promise<RestockingVerdict | undefined> {
  const { log, groups, scene, store, fleet, onProgress } = run
  if (!(await atRest(run))) return undefined
  onProgress('at rest')
  const rollCall = await scene.rollCall()
  if (!(await atRest(run))) return undefined
  const { central } = scene
  return restockingVerdict({ log, groups, central, store, fleet, rollCall, today: inDays(0) })
}

/** Resolves with true when all that is committed has gone all the way, and nothing is under way any more. */
async function atRest({ log, groups, scene, readers, onProgress }: Run): Promise<boolean> {
  if (readers.tale.stopped.length > 0) return false
  if (!(await streamCaughtUp(log, scene.central, patienceMs))) return false
  let quiet = 0
  for (const untilMs = performance.now() + patienceMs; performance.now() < untilMs; await pause(200)) {
    const [clicks] = await scene.central.read((queries) =>
      queries.rows<{ open: number }>(
        `SELECT count(*)::integer AS open FROM restocking.saga WHERE state IN ('running', 'undoing')`,
      ),
    )
    const isQuiet = (await openEvents(groups)) === 0 && clicks?.open === 0
    // What a click has done is committed in the central database only then.
    if (isQuiet && !(await streamCaughtUp(log, scene.central, patienceMs))) return false
    quiet = isQuiet ? quiet + 1 : 0
    if (quiet === 3) return true
  }
  for (const line of await restlessness(groups)) onProgress(line)
  return false
}
