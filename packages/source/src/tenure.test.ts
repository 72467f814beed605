import { MillraceError } from '@millrace/event'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMemoryPipelineStore } from './memory-pipeline-store.ts'
import { StatusBoard } from './pipeline-status.ts'
import type { PipelineStore } from './pipeline-store.ts'
import { Tenure } from './tenure.ts'

type Renewal = (...asked: Parameters<PipelineStore['renew']>) => ReturnType<PipelineStore['renew']>

const tenures: Tenure[] = []
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
})
afterEach(async () => {
  for (const tenure of tenures.splice(0)) await tenure.end()
  vi.useRealTimers()
})

/** Lets so many ms pass, with all that is due meanwhile. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
/** Resolves when so many ms have passed. */
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A tenure whose renewals go by what the test makes of them. */
async function held(leaseMs: number, renewal: (kept: PipelineStore) => Renewal) {
  const kept = createMemoryPipelineStore()
  const answer = await kept.take({ pipeline: 'shop', holder: 'a', leaseMs })
  if (answer.status !== 'leased') throw new Error('No lease')
  const { token } = answer
  const store: PipelineStore = Object.assign(Object.create(kept) as PipelineStore, { renew: renewal(kept) })
  // Methods of the store itself work on its own fields.
  store.release = (...given) => kept.release(...given)
  const tenure = new Tenure({ store, pipeline: 'shop', token, leaseMs, board: new StatusBoard([]) })
  tenures.push(tenure)
  return { tenure, kept, token }
}

test('one renewal at a time: one that hangs for as long as the lease ends the holding, and its late answer changes nothing', async () => {
  let asked = 0
  const late = Promise.withResolvers<void>()
  const { tenure, kept } = await held(200, (store) => async (...of) => {
    if (++asked > 1) await late.promise
    return store.renew(...of)
  })
  await tenure.begin()
  await pass(199)
  expect([asked, tenure.signal.aborted]).toEqual([2, false])
  await pass(1)
  expect(tenure.signal.aborted).toBe(true)
  expect(String(tenure.signal.reason)).toContain('could not be renewed in time')
  const heard: unknown[] = []
  tenure.onOrders((orders) => heard.push(orders))
  await kept.pause('shop')
  late.resolve()
  await tenure.end()
  expect([asked, heard, tenure.orders.paused]).toEqual([2, [], false])
})

test('a slow renewal is followed by the next one, not overtaken by it', async () => {
  let under = 0
  let most = 0
  let asked = 0
  const { tenure } = await held(30_000, (store) => async (...of) => {
    most = Math.max(most, ++under)
    if (++asked === 2) await pause(1_100)
    under -= 1
    return store.renew(...of)
  })
  await tenure.begin()
  await pass(2_099)
  expect(asked).toBe(2)
  await pass(2)
  expect([asked, most]).toEqual([3, 1])
  expect(tenure.signal.aborted).toBe(false)
})

test('renewals that fail end the holding when the lease is over, not before', async () => {
  let asked = 0
  const { tenure } = await held(200, (store) => async (...of) => {
    if (++asked > 1) throw new MillraceError('log.unavailable')
    return store.renew(...of)
  })
  await tenure.begin()
  await pass(199)
  expect(tenure.signal.aborted).toBe(false)
  expect(asked).toBeGreaterThan(1)
  await pass(1)
  expect(tenure.signal.aborted).toBe(true)
})

test('a first answer that comes too late begins nothing', async () => {
  const { tenure } = await held(50, (store) => async (...of) => {
    await pause(120)
    return store.renew(...of)
  })
  const beginning = tenure.begin()
  await pass(120)
  await beginning
  expect(tenure.signal.aborted).toBe(true)
})

test('a lease that another one has taken is lost with the next renewal; an ended tenure renews no more', async () => {
  let asked = 0
  const { tenure, kept, token } = await held(100, (store) => async (...of) => {
    asked += 1
    return store.renew(...of)
  })
  await tenure.begin()
  await kept.take({ pipeline: 'shop', holder: 'a', leaseMs: 60_000 })
  await pass(25)
  expect(String(tenure.signal.reason)).toContain('taken over')
  await tenure.end()
  const atEnd = asked
  await pass(80)
  expect(asked).toBe(atEnd)
  expect(await kept.renew('shop', token, 1, '')).toBeUndefined()
})
