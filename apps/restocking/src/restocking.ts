import {
  type Clock,
  derivedId,
  freshId,
  newEvent,
  systemClock,
  systemTimers,
  type Timers,
} from '@millrace/event'
import type { HttpAppOptions } from '@millrace/hono'
import type { EventLog } from '@millrace/log'
import type { ConsumerHealth, Running } from '@millrace/processor'
import { SagaRunner } from '@millrace/saga'
import type { ViewStore } from '@millrace/view'
import { createCarryOut } from './carry-out.ts'
import { carryOutSaga, type OrderDesk, type SupplierMail } from './carry-out-saga.ts'
import { FeedWatch } from './change-feed.ts'
import type { Thresholds } from './domain/review.ts'
import { followSuggestions, type GroupsOptions, startReviews } from './follow-suggestions.ts'
import { initialise, type InitialiseProgress, linesOf } from './initialise.ts'
import { createRestockingApp } from './restocking-app.ts'
import type { OrderOwner } from './review-processor.ts'
import type { SuggestionStore } from './suggestion-port.ts'
import { productKey, supply } from './supply-topic.ts'
import type { VerdictRows } from './verdict-rows.ts'

/** What {@link createRestocking} needs. */
export interface RestockingOptions extends GroupsOptions {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'appendChannel' | 'channel' | 'append' | 'tips'>
  readonly view: ViewStore<VerdictRows>
  readonly store: SuggestionStore
  readonly purchasing: OrderOwner & OrderDesk
  readonly mail: SupplierMail
  /** A snapshot of the central database, as JSON lines. */
  readonly snapshot: (signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>
  readonly http: HttpAppOptions
  readonly tokens: readonly string[]
  readonly thresholds?: Thresholds
  /** Hour of the day (UTC) at which what has ended is swept, and the new day is reviewed. Default 3. */
  readonly quietHour?: number
  /** What has ended is kept so many days. Default 30. */
  readonly keepDays?: number
  /** Most time for one attempt of a step of a click, in ms; after twice that another process takes it over. Default 30,000. */
  readonly stepMs?: number
  /** How long a click is waited for before it is answered as under way, in ms. Default 5,000. */
  readonly clickWaitMs?: number
  readonly clock?: Clock
  readonly timers?: Timers
  readonly onTrouble: (error: unknown) => void
}

/** The service: its HTTP interface, its two groups, its sagas and its nightly work. */
export interface Restocking {
  readonly app: ReturnType<typeof createRestockingApp>
  start(): Promise<void>
  stop(): Promise<void>
  health(): { readonly review: ConsumerHealth; readonly view: ConsumerHealth }
  /**
   * Fills a system that knows no line of any order yet from the central database.
   *
   * @throws MillraceError as `initialise`; `append.channel-stale` when another run was begun within the hour
   */
  fillWhenEmpty(signal: AbortSignal): Promise<void>
  /** What is done at the quiet hour: sweeps what has ended, and asks for a review of the new day. */
  nightly(): Promise<void>
}

const hourMs = 3_600_000
const productsAtOnce = 1_000

export function createRestocking(options: RestockingOptions): Restocking {
  const { store, log, onTrouble, clock = systemClock, timers = systemTimers } = options
  const runner = new SagaRunner({
    store: store.sagas,
    sagas: [
      carryOutSaga({
        desk: options.purchasing,
        mail: options.mail,
        completed: ({ id }, correlationId) => store.complete(id, correlationId),
      }),
    ],
    clock,
    timers,
    ...(options.stepMs === undefined ? {} : { stepMs: options.stepMs }),
    onTrouble,
    onSaved: ({ state }) => {
      if (state === 'running' || state === 'undoing') return
      store.reconcile().catch(onTrouble)
    },
  })
  const watch = new FeedWatch({ tip: () => store.feedTip(), timers })
  const { clickWaitMs } = options
  const waiting = clickWaitMs === undefined ? {} : { waitMs: clickWaitMs }
  const carryOut = createCarryOut({ store, runner, clock, timers, onTrouble, ...waiting })
  const app = createRestockingApp({
    ...{ store, carryOut, watch, log, http: options.http, tokens: options.tokens },
    initialise: (correlationId, signal) => initialising(options, correlationId, clock, signal),
  })
  const running: Running[] = []
  let cancelNight = (): void => undefined
  let night: Promise<void> | undefined
  const nightly = async (): Promise<void> => {
    await store.sweep(options.keepDays ?? 30)
    await reviewDay(store, log, clock)
  }
  const planNight = (): void => {
    const quietMs = (options.quietHour ?? 3) * hourMs
    const now = clock.now()
    const sinceMs = (((now - quietMs) % (24 * hourMs)) + 24 * hourMs) % (24 * hourMs)
    cancelNight = timers.set(24 * hourMs - sinceMs, () => {
      night = nightly().catch(onTrouble)
      planNight()
    })
  }
  return {
    app,
    start: async () => {
      await store.prepare()
      await options.view.prepare()
      // What a crash has left between a saga and its decision.
      await store.reconcile()
      running.push(await startReviews({ ...options, orders: options.purchasing }))
      running.push(await followSuggestions(options))
      runner.start()
      planNight()
    },
    stop: async () => {
      cancelNight()
      watch.stop()
      await runner.stop()
      await Promise.all(running.map((one) => one.stop()))
      await night
    },
    health: () => {
      const [review = notStarted, view = notStarted] = running.map((one) => one.health())
      return { review, view }
    },
    nightly,
    fillWhenEmpty: async (signal) => {
      const [known] = await store.productsWithLines('', 1)
      if (known !== undefined || signal.aborted) return
      const snapshot = async () => linesOf(await options.snapshot(signal))
      await initialise({ snapshot, log, correlationId: freshId(), clock, yields: true })
    },
  }
}

const notStarted: ConsumerHealth = {
  state: 'down',
  message: 'has not started',
  paused: false,
  partitions: [],
}

/** Asks for a review of every product with open lines: what depends on the date may have changed. */
async function reviewDay(
  store: Pick<SuggestionStore, 'productsWithLines'>,
  log: Pick<EventLog, 'append'>,
  clock: Clock,
): Promise<void> {
  const day = new Date(clock.now()).toISOString().slice(0, 10)
  for (let after = ''; ;) {
    const products = await store.productsWithLines(after, productsAtOnce)
    const events = products.map((product) =>
      newEvent(
        supply,
        {
          type: 'ReviewDue',
          key: productKey(product),
          source: '/millrace/restocking',
          // Asked for twice on one day, it is the same.
          id: derivedId('review', day, product),
          data: {},
        },
        clock,
      ),
    )
    const results =
      events.length === 0
        ? []
        : await log.append(
            supply,
            events.map((event) => ({ events: [event] })),
          )
    for (const result of results) if (result.status === 'refused') throw result.error
    if (products.length < productsAtOnce) return
    after = products.at(-1) ?? after
  }
}

/** Tells how far the initialiser is, as it goes on; whoever listens slows it down. */
async function* initialising(
  { log, snapshot }: Pick<RestockingOptions, 'log' | 'snapshot'>,
  correlationId: string,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<InitialiseProgress> {
  let latest: InitialiseProgress | undefined
  let wake = (): void => undefined
  const run = initialise({
    ...{ log, correlationId, clock },
    snapshot: async () => linesOf(await snapshot(signal)),
    onProgress: (progress) => {
      latest = progress
      wake()
    },
  })
  let ended = false
  const end = (): void => {
    ended = true
    wake()
  }
  run.then(end, end)
  while (!ended || latest) {
    const told = latest
    latest = undefined
    if (told) yield told
    else
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  await run
}
