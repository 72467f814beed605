import { topic } from '@millrace/event'
import { NEVER } from 'rxjs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { emptyRecord } from '../model/key-record.ts'
import { processor } from '../model/processor.ts'
import { delay } from '../operators/delay.ts'
import { mergeMap } from '../operators/merge-map.ts'
import { LaneRig } from '../testing/lane-rig.ts'
import { VirtualTime } from '@millrace/event'
import { createLane } from './create-lane.ts'
import { Delivery } from './delivery.ts'
import type { Lane } from './lane.ts'

const things = topic('things', { types: { Made: z.object({}) } })
const stuck = processor('stuck', things, { pipeline: (lane) => lane.pipe(mergeMap(() => NEVER)) })
const late = processor('late', things, { pipeline: (lane) => lane.pipe(delay(10)) })
const plain = processor('plain', things, { pipeline: (lane) => lane })

test('a lane that is closed tells nothing, and leaves nothing behind', () => {
  const rig = new LaneRig(late)
  rig.feed('Made')
  rig.lane.close()
  rig.time.advance(10)
  expect(rig.told).toEqual([])
  expect(rig.time.pending).toBe(0)
  expect(rig.lane.unsettled).toEqual(rig.fed)
  expect(() => rig.feed('Made')).toThrow('is over')
})

test('a delivery is fed again to another lane, with nothing of what the first one recorded', () => {
  const first = new LaneRig(stuck)
  const delivery = first.feed('Made')
  delivery.outcome = 'dead'
  first.lane.close()
  const second = new LaneRig(plain)
  second.again([delivery])
  expect(second.told).toEqual(['1'])
  expect(delivery).toMatchObject({ settled: true, outcome: 'done', emits: undefined })
})

test('what is passed keeps its place, unseen by the pipeline', () => {
  const rig = new LaneRig(late)
  rig.feed('Made')
  const poison = Delivery.ofEvent(rig.recorded('Made'))
  rig.fed.push(poison)
  rig.lane.pass(poison, 'dead', 'no such type')
  expect(rig.told).toEqual([])
  rig.time.advance(10)
  expect(rig.told).toEqual(['1', '2'])
  expect(poison).toMatchObject({ outcome: 'dead', why: 'no such type' })
})

test('a lane that is fed from its own hook or pipeline refuses', () => {
  const time = new VirtualTime()
  const errors: unknown[] = []
  const feedAgain = () => {
    try {
      lane.feed(new LaneRig(plain).feed('Made'))
    } catch (error) {
      errors.push(error)
    }
  }
  const hooks = { settled: feedAgain, failed: () => {}, ended: () => {} }
  const lane: Lane = createLane(plain, { key: 'key', record: emptyRecord, hooks, timers: time, clock: time })
  lane.feed(new LaneRig(stuck).feed('Made'))
  expect(String(errors[0])).toContain('from within')
})

test('a hook may close its lane: nothing more is told', () => {
  const time = new VirtualTime()
  const told: number[] = []
  const lane: Lane = createLane(late, {
    key: 'key',
    record: emptyRecord,
    timers: time,
    clock: time,
    hooks: {
      settled: ({ place }) => {
        told.push(place)
        lane.close()
      },
      failed: () => {},
      ended: () => {},
    },
  })
  const other = new LaneRig(stuck)
  for (let n = 0; n < 3; n++) other.feed('Made')
  other.lane.close()
  for (const delivery of other.lane.unsettled) lane.feed(delivery)
  time.advance(10)
  expect(told).toEqual([1])
  expect(lane.inHand).toBe(2)
})

test('a lane that is closed while it hands an event over tells nothing of it', () => {
  const stop = () => rig.lane.close()
  const rig = new LaneRig(processor('stops', things, { handle: stop }))
  rig.feed('Made')
  expect(rig.told).toEqual([])
  expect(rig.lane.unsettled).toEqual(rig.fed)
})

test('a thousand events through a lane that holds a few leave nothing behind in it', () => {
  const rig = new LaneRig(late)
  for (let n = 0; n < 1_000; n++) {
    rig.feed('Made')
    rig.time.advance(1)
  }
  rig.time.advance(10)
  expect(rig.told).toHaveLength(1_000)
  expect(rig.lane.inHand).toBe(0)
})
