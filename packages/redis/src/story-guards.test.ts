import { type IndexBatch, indexBounds, type RequestFact } from '@millrace/processor'
import type { MillraceError, Topic } from '@millrace/event'
import { testTopic } from '@millrace/log/contract'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect } from 'vitest'
import { describeGuards, type GuardScenario } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { Keys, type StoryIndexKeys } from './keys.ts'
import { Script } from './script.ts'
import { scriptSource } from './script-source.ts'
import { StoryIndexOnRedis, type StoryScripts } from './story-index.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const asTheyAre: StoryScripts = {
  index: new Script('story-index.lua'),
  requests: new Script('story-requests.lua'),
}

let systems = 0

/** An index of its own, and a look at what Redis holds of it. */
class IndexLab {
  readonly redis = new Redis(server?.url ?? '')
  readonly topic: Topic = testTopic({ partitions: 1 })
  readonly names: StoryIndexKeys
  readonly index: StoryIndexOnRedis
  now = Date.parse('2026-01-01T00:00:00Z')

  constructor(changed: Partial<StoryScripts>) {
    systems += 1
    const keys = new Keys(`guards-${systems}`)
    this.names = keys.storyIndex
    this.index = new StoryIndexOnRedis(this.redis, keys, () => this.now, { ...asTheyAre, ...changed })
  }

  batch(from: number, events: number, correlationId = 'c'): IndexBatch {
    const id = (seq: number) => (seq === 0 ? '0-0' : `1-${seq}`)
    return {
      partition: 0,
      from: id(from),
      to: id(from + events),
      events: Array.from({ length: events }, (_, at) => {
        const seq = from + at + 1
        return {
          eventId: `e${seq}`,
          correlationId,
          position: { topic: this.topic.name, partition: 0, id: id(seq), seq },
        }
      }),
    }
  }

  note(from: number, events: number): Promise<'noted' | 'moved'> {
    return this.index.note(this.topic, this.batch(from, events))
  }

  dump(): Promise<readonly (Buffer | null)[]> {
    const { cursors, places, placesOld, requests, requestsOld } = this.names
    return Promise.all(
      [cursors, places, placesOld, requests, requestsOld].map((name) => this.redis.dumpBuffer(name)),
    )
  }
}

const request: RequestFact = {
  correlationId: 'c',
  atMs: 1,
  service: 'gateway',
  method: 'POST',
  route: '/users',
  status: 201,
  tookMs: 1,
}

const open = (name: keyof StoryScripts) => async (source: string) => {
  const lab = new IndexLab({ [name]: new Script(`${name}.lua`, source) })
  await lab.redis.script('LOAD', source)
  return { context: lab, close: async () => lab.redis.disconnect() }
}

/** The call is refused as a whole. */
async function expectRefused(lab: IndexLab, call: () => Promise<unknown>): Promise<void> {
  const before = await lab.dump()
  const failure: unknown = await call().then(
    () => undefined,
    (error: unknown) => error,
  )
  expect((failure as MillraceError | undefined)?.code).toBe('log.corrupt')
  expect(await lab.dump()).toEqual(before)
}

const windowLater =
  (
    name: keyof StoryIndexKeys,
    call: (lab: IndexLab, again: boolean) => Promise<unknown>,
  ): GuardScenario<IndexLab> =>
  async (lab) => {
    await call(lab, false)
    lab.now += indexBounds.windowMs
    await lab.redis.set(lab.names[name], 'foreign')
    await expectRefused(lab, () => call(lab, true))
  }

const noteTwice = (lab: IndexLab, again: boolean) => lab.note(again ? 1 : 0, 1)
const requestTwice = (lab: IndexLab) => lab.index.noteRequests([request])

describeGuards('story-index.lua', scriptSource('story-index.lua'), open('index'), {
  'type of cursors': {
    'foreign cursors refuse the call': async (lab) => {
      await lab.redis.set(lab.names.cursors, 'foreign')
      await expectRefused(lab, () => lab.note(0, 1))
    },
  },
  'type of places': {
    'foreign places refuse the call, also when they are to be the old ones': windowLater('places', noteTwice),
  },
  cursor: {
    'what does not follow is not taken in': async (lab) => {
      await lab.note(0, 2)
      const before = await lab.dump()
      for (const from of [0, 1, 3]) expect(await lab.note(from, 1)).toBe('moved')
      expect(await lab.dump()).toEqual(before)
    },
  },
  'most places': {
    'one correlation id has so many places and no more': async (lab) => {
      await lab.note(0, indexBounds.positions - 1)
      await lab.note(indexBounds.positions - 1, 3)
      const { positions, beyond } = await lab.index.correlated('c')
      expect([positions.length, beyond]).toEqual([indexBounds.positions, 2])
    },
  },
  'turn without places': {
    'a generation that was removed by hand makes room for the next': async (lab) => {
      await lab.note(0, 1)
      await lab.redis.del(lab.names.places)
      lab.now += indexBounds.windowMs
      expect(await lab.note(1, 1)).toBe('noted')
    },
  },
})

describeGuards('story-requests.lua', scriptSource('story-requests.lua'), open('requests'), {
  'cursors of requests': {
    'foreign cursors refuse the call': async (lab) => {
      await lab.redis.set(lab.names.cursors, 'foreign')
      await expectRefused(lab, () => requestTwice(lab))
    },
  },
  'type of requests': {
    'foreign requests refuse the call, also when they are to be the old ones': windowLater(
      'requests',
      requestTwice,
    ),
  },
  'turn without requests': {
    'a generation that was removed by hand makes room for the next': async (lab) => {
      await requestTwice(lab)
      await lab.redis.del(lab.names.requests)
      lab.now += indexBounds.windowMs
      await requestTwice(lab)
      expect((await lab.index.correlated('c')).requests).toHaveLength(1)
    },
  },
})
