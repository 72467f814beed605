import { topic } from '@millrace/event'
import { map, merge, type Observable } from 'rxjs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { randomOf, testSeed } from '../../../../test/support/random.ts'
import { Delivery } from '../lane/delivery.ts'
import { processor } from '../model/processor.ts'
import { Choices } from '../testing/choices.ts'
import { DurableRig, type Thing, things } from '../testing/durable-rig.ts'
import { LaneRig } from '../testing/lane-rig.ts'
import { durableDebounce } from './durable-debounce.ts'
import { durableDelay } from './durable-delay.ts'
import { emit } from './emit.ts'
import { join } from './join.ts'
import { sessionWindow } from './session-window.ts'
import { tumblingWindow } from './tumbling-window.ts'

const seed = testSeed()
const seen = topic('seen', { types: { Seen: z.object({ text: z.string() }) } })
const shown = map((value: unknown) => JSON.stringify(value))

type Part = (lane: Observable<Thing>) => Observable<string>

function randomPipeline(choose: Choices): Part {
  const ms = () => choose.between(1, 300)
  const part = (name: string): Part => {
    const [one, other] = [ms(), ms()]
    return choose.oneOf<Part>([
      (lane) => lane.pipe(durableDelay(`${name}-delay`, one), shown),
      (lane) => lane.pipe(durableDebounce(`${name}-calm`, one), shown),
      (lane) => lane.pipe(tumblingWindow(`${name}-window`, one), shown),
      (lane) => lane.pipe(sessionWindow(`${name}-visit`, one, { maxMs: one + other }), shown),
      (lane) => lane.pipe(join(`${name}-deal`, 'Made', 'Paid', { withinMs: one }), shown),
      (lane) => lane.pipe(durableDelay(`${name}-one`, one), tumblingWindow(`${name}-two`, other), shown),
    ])
  }
  const [a, b] = [part('a'), part('b')]
  const emitting = emit<string, typeof seen.types, 'Seen'>(seen, (text) => ({ type: 'Seen', data: { text } }))
  return (lane) => merge(a(lane), b(lane)).pipe(emitting)
}

/** One history: the same with or without restarts. */
function history(at: number, restarts: boolean): DurableRig {
  const choose = new Choices(randomOf(at))
  const rig = new DurableRig(randomPipeline(choose))
  for (let step = 0; step < 40; step++) {
    const chance = choose.chance()
    if (chance < 0.5) rig.feed(choose.oneOf(['Made', 'Paid', 'Lost']), step)
    else if (chance < 0.75) rig.pass(choose.between(1, 200))
    else if (chance < 0.85) rig.time.advance(choose.between(1, 200))
    else if (restarts) rig.restart()
  }
  rig.pass(10_000)
  return rig
}

/** Event ids differ between two runs; what an event says and when does not. */
function plain(out: readonly unknown[]): unknown[] {
  return out.map((text) => String(text).replaceAll(/"(id|correlationid)":"[^"]*"/g, ''))
}

test(`restarts make no difference to durable operators (seed ${seed})`, () => {
  let outputs = 0
  for (let at = seed; at < seed + 300; at++) {
    const [with_, without] = [history(at, true), history(at, false)]
    expect(plain(with_.out), `seed ${at}`).toEqual(plain(without.out))
    expect(with_.timers).toEqual({})
    expect(with_.rig.lane.record.ops, `seed ${at}`).toEqual(without.rig.lane.record.ops)
    outputs += with_.out.length
  }
  expect(outputs).toBeGreaterThan(1_000)
})

test(`handled again in the recorded order, every delivery brings about the same (seed ${seed})`, () => {
  for (let at = seed; at < seed + 300; at++) {
    const rig = history(at, true)
    const pipeline = randomPipeline(new Choices(randomOf(at)))
    const replay = new LaneRig(processor('group', things, { pipeline }))
    for (const { key, recorded, timer, emits, timers } of rig.deliveries) {
      const again = recorded ? Delivery.ofEvent(recorded) : timer && Delivery.ofTimer(key, timer)
      if (again) replay.again([again])
      expect(again?.timers, `seed ${at}`).toEqual(timers)
      expect(again?.emits?.map(({ event }) => event.id)).toEqual(emits?.map(({ event }) => event.id))
    }
    expect(replay.lane.record.ops).toEqual(rig.rig.lane.record.ops)
  }
})
