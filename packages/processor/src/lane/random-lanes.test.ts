import { afterEach, expect, test, vi } from 'vitest'
import { randomOf, testSeed } from '../../../../test/support/random.ts'
import { LaneStory } from '../testing/lane-story.ts'
import { LaneCore } from './lane-core.ts'
import { Kept } from './kept.ts'
import { Line } from './line.ts'

const seed = testSeed()
const stories = Number(process.env['STORIES'] ?? 3_000)

/** The faults of so many stories, each with its seed; ends with the first one that goes wrong. */
function faultsOf(count: number): string[] {
  const faults: string[] = []
  for (let at = seed; at < seed + count && faults.length === 0; at++)
    for (const fault of new LaneStory(randomOf(at)).run(40)) faults.push(`seed ${at} STORIES=1: ${fault}`)
  return faults
}

afterEach(() => {
  vi.restoreAllMocks()
})

test(`every delivery is settled once, in order and not too early, whatever the pipeline (seed ${seed})`, () => {
  expect(faultsOf(stories)).toEqual([])
})

test('the stories do end lanes', () => {
  let ends = 0
  for (let at = 0; at < 50; at++) {
    const story = new LaneStory(randomOf(seed + at))
    story.run(40)
    ends += story.ends
  }
  expect(ends).toBeGreaterThan(5)
})

const planted: Readonly<Record<string, () => void>> = {
  'an operator lets go of what it keeps': () => {
    vi.spyOn(Kept.prototype, 'run').mockImplementation(function (this: Kept, act) {
      this.lane.run(this.place, this.load, act)
      this.release()
    })
  },
  'a hold is given back twice': () => {
    vi.spyOn(Kept.prototype, 'release').mockImplementation(function (this: Kept) {
      this.lane.release(this.load)
    })
  },
  'a hold is not given back': () => {
    vi.spyOn(Kept.prototype, 'release').mockImplementation(() => {})
  },
  'current is not restored': () => {
    vi.spyOn(LaneCore.prototype, 'run').mockImplementation((_place, _load, act) => act())
  },
  'what went into one value is committed apart': () => {
    const { take } = Line.prototype
    vi.spyOn(Line.prototype, 'take').mockImplementation(function (this: Line) {
      for (const delivery of this.all()) delivery.reach = 0
      return take.call(this)
    })
  },
  'what an operator holds when it is unsubscribed is done': () => {
    vi.spyOn(LaneCore.prototype, 'drop').mockImplementation(function (this: LaneCore, _place, load) {
      this.release(load)
    })
  },
  'what an operator holds when it is unsubscribed is forgotten': () => {
    vi.spyOn(LaneCore.prototype, 'drop').mockImplementation(() => {})
  },
}

for (const [bug, plant] of Object.entries(planted))
  test(`planted: ${bug}`, () => {
    plant()
    expect(faultsOf(30_000)).not.toEqual([])
  })
