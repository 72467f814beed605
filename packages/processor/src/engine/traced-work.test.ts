import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  currentScope,
  newEvent,
  scopeHeaders,
  topic,
  traceContextOf,
  type Work,
  workChannel,
} from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { defineEffect } from '../model/effect.ts'
import { processor } from '../model/processor.ts'
import { run, type Running } from './run.ts'

const things = topic('things', { types: { Made: z.object({ n: z.int() }) }, partitions: 1 })
const facts = topic('facts', { types: { Noted: z.object({ n: z.int() }) }, partitions: 1 })

let works: Work[]
let wake = () => {}
const hear = (work: unknown) => {
  works.push(work as Work)
  wake()
}
beforeEach(() => {
  works = []
  subscribe(workChannel, hear)
})
const runs: Running[] = []
afterEach(async () => {
  unsubscribe(workChannel, hear)
  for (const running of runs.splice(0)) await running.stop()
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => (wake = resolve))
}

const traceId = 'a'.repeat(32)
const origin = (flags: string) => `00-${traceId}-${'b'.repeat(16)}-${flags}`

/** Runs a processor over one event whose trace is recorded or not. */
async function handled(
  flags: string,
  options: { readonly failing?: number; readonly effectFailing?: number },
) {
  const log = createMemoryLog()
  let [attempts, effects] = [0, 0]
  const calls: (Readonly<Record<string, string>> | undefined)[] = []
  const call = defineEffect('call', {
    schema: z.object({}),
    run: () => {
      effects += 1
      calls.push({ ...scopeHeaders(), causation: currentScope()?.causationId ?? '' })
      if (effects <= (options.effectFailing ?? 0)) throw new Error('the outside is moody')
    },
  })
  const made = newEvent(things, {
    ...{ type: 'Made', key: 'k', data: { n: 1 }, correlationId: 'story-1', traceparent: origin(flags) },
  })
  const definition = processor('group', things, {
    effects: [call],
    handle: (event, context) => {
      attempts += 1
      if (attempts <= (options.failing ?? 0)) throw new Error('not yet')
      context.emit(facts, { type: 'Noted', data: event.data })
      context.effect(call, {})
    },
  })
  const running = await run(definition, {
    ...{ log, store: createMemoryGroupStore({ log }), emitsTo: [facts] },
    ...{ retry: { firstMs: 1, maxMs: 2 }, effectRetry: { firstMs: 1, maxMs: 2 } },
    observe: () => wake(),
  })
  runs.push(running)
  await log.append(things, [{ events: [made] }])
  await until(() => calls.length > (options.effectFailing ?? 0))
  const emitted = async () => (await log.read(facts, new Map([[0, '0-0']]), { limit: 10 })).get(0)?.[0]?.event
  while ((await emitted()) === undefined) await new Promise((resolve) => setImmediate(resolve))
  return { made, calls, emitted: await emitted() }
}

test('each attempt on an event of a recorded trace is told of, and so is its effect, all of one story', async () => {
  const { made, calls, emitted } = await handled('01', { failing: 1, effectFailing: 1 })
  await until(() => works.length >= 4)
  expect(works.map(({ kind, error, parent }) => [kind, error instanceof Error, parent])).toEqual([
    ['delivery', true, made.traceparent],
    ['delivery', false, made.traceparent],
    ['effect', true, made.traceparent],
    ['effect', false, made.traceparent],
  ])
  const own = works.map(({ traceparent }) => traceContextOf(traceparent))
  expect(own).toMatchObject(own.map(() => ({ traceId, sampled: true })))
  expect(new Set(own.map((context) => context?.spanId)).size).toBe(4)
  expect(works).toMatchObject(
    works.map(() => ({ correlationId: 'story-1', eventId: made.id, topic: 'things', group: 'group' })),
  )
  // What an effect asks of the outside goes below its attempt.
  expect(calls.map((call) => call?.['traceparent'])).toEqual([works[2]?.traceparent, works[3]?.traceparent])
  expect(calls[0]).toMatchObject({ 'X-Correlation-Id': 'story-1', causation: made.id })
  // The same whenever it is made again: of the event, not of the attempt.
  expect(emitted).toMatchObject({
    correlationid: 'story-1',
    causationid: made.id,
    traceparent: made.traceparent,
  })
})

test('of a trace that is not recorded only what fails is told', async () => {
  const { made, calls } = await handled('00', { failing: 1, effectFailing: 1 })
  expect(works.map(({ kind, error, parent }) => [kind, error instanceof Error, parent])).toEqual([
    ['delivery', true, made.traceparent],
    ['effect', true, made.traceparent],
  ])
  expect(calls[1]).toMatchObject({ 'X-Correlation-Id': 'story-1' })
})

test('what goes well in a trace that is not recorded is told by nobody', async () => {
  await handled('00', {})
  expect(works).toEqual([])
})

test('what an observer logs of an event that fails, waits and is given up is of its story', async () => {
  const log = createMemoryLog()
  // Nothing else is of that story.
  const others: unknown[] = []
  const told: [kind: string, correlationId: string | undefined, causationId: string | undefined][] = []
  const made = newEvent(things, { type: 'Made', key: 'k', data: { n: 1 }, correlationId: 'story-1' })
  const definition = processor('group', things, {
    onExhausted: 'skip-event',
    handle: () => {
      throw new Error('never')
    },
  })
  const running = await run(definition, {
    ...{ log, store: createMemoryGroupStore({ log }), attempts: 3, retry: { firstMs: 1, maxMs: 2 } },
    observe: ({ kind }) => {
      const scope = currentScope()
      if (kind === 'retry' || kind === 'parked' || kind === 'dead')
        told.push([kind, scope?.correlationId, scope?.causationId])
      else others.push(scope)
      wake()
    },
  })
  runs.push(running)
  await log.append(things, [{ events: [made] }])
  await until(() => told.some(([kind]) => kind === 'dead'))
  expect(told).toEqual(told.map(([kind]) => [kind, 'story-1', made.id]))
  expect(new Set(told.map(([kind]) => kind))).toEqual(new Set(['retry', 'parked', 'dead']))
  expect(others.filter((scope) => scope !== undefined)).toEqual([])
})
