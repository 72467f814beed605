import { newEvent, topic, type Topic } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import { afterEach, expect, test } from 'vitest'
import { run, type Running } from '../engine/run.ts'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { processor } from '../model/processor.ts'
import { Explainer } from './explainer.ts'
import { createMemoryStoryIndex } from './memory-story-index.ts'
import type { Story } from './story.ts'
import { StoryFollower } from './story-follower.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

function scene({ follows = true } = {}) {
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log, atOnce: log })
  const index = createMemoryStoryIndex()
  const source = testTopic({ partitions: 2 })
  const target: Topic = topic(`${source.name}-next`, { types: source.types, partitions: 1 })
  const follower = new StoryFollower({ topics: [source, target], log, index })
  if (follows) follower.start()
  ends.push(() => follower.stop())
  const groups = [
    { topic: source, group: 'maker' },
    { topic: target, group: 'reader', types: new Set(['Other']) },
  ]
  const explainer = new Explainer({ log, store, stories: store, index, groups })
  return { log, store, index, source, target, explainer, follower }
}

/** The lines of a story without its times. */
function lines(story: Story): readonly string[] {
  return story.entries.map((entry) => {
    switch (entry.kind) {
      case 'request':
        return `${entry.service} ${entry.method} ${entry.route} ${entry.status}`
      case 'event':
        return `event ${entry.eventId}`
      case 'fact':
        return `${entry.group} ${entry.eventId} ${entry.fact.what}`
      case 'note':
        return `${entry.group} ${entry.eventId} says ${entry.text}`
      case 'settled':
        return `${entry.group} ${entry.eventId} settled`
    }
  })
}

async function started(running: Promise<Running>): Promise<Running> {
  const one = await running
  ends.push(() => one.stop())
  return one
}

test('a correlation id, an event of it and its key tell the same chain, over topics and retries', async () => {
  const { log, store, index, source, target, explainer } = scene()
  let failures = 2
  const settled = Promise.withResolvers<void>()
  const maker = processor('maker', source, {
    handle: (event, context) => {
      if (event.id === 'the-first' && failures-- > 0) throw new Error('no answer for ada@example.org')
      context.note('made', { parts: 2 })
      context.emit(target, { type: 'Happened', key: 'made', data: { of: event.id } })
    },
  })
  await started(
    run(maker, {
      log,
      store,
      commitMs: 1,
      retry: { firstMs: 1, maxMs: 5 },
      observe: (news) => {
        if (news.kind === 'progress' && news.position.seq > 0 && news.lag === 0 && failures < 0)
          settled.resolve()
      },
    }),
  )
  const event = newEvent(source, {
    type: 'Happened',
    key: 'ada@example.org',
    data: { secret: 'never told' },
    id: 'the-first',
    correlationId: 'story-1',
    actor: 'ada@example.org',
  })
  const other = newEvent(source, { type: 'Happened', key: 'other', data: {}, correlationId: 'story-2' })
  const now = Date.now() - 10
  await index.noteRequests([
    {
      correlationId: 'story-1',
      atMs: now,
      service: 'door',
      method: 'POST',
      route: '/things',
      status: 201,
      tookMs: 3,
    },
  ])
  await log.append(source, [{ events: [event] }, { events: [other] }])
  await settled.promise
  // The last commit of all may be that of the other event.
  const story = await untilStory(
    () => explainer.correlation('story-1'),
    ({ open, behind }) => open.length === 0 && behind === 0,
  )
  const child = story.entries.find((entry) => entry.kind === 'event' && entry.causationId === 'the-first')
  const told = lines(story)
  expect(told.slice(0, 2)).toEqual(['door POST /things 201', 'event the-first'])
  expect(told.filter((line) => line === 'maker the-first attempt')).toHaveLength(2)
  expect(told).toContain('maker the-first done')
  expect(child).toBeDefined()
  expect(story).toMatchObject({ open: [], beyond: 0, behind: 0 })
  expect(JSON.stringify(story)).not.toMatch(/never told|ada@example|story-2/)
  const done = story.entries.find((entry) => entry.kind === 'fact' && entry.fact.what === 'done')
  expect(done).toMatchObject({ fact: { attempt: 3 } })
  expect(told).toContain('maker the-first says made')
  const childId = child?.kind === 'event' ? child.eventId : ''
  expect(lines(await explainer.event(childId))).toEqual(told)
  const byKey = lines(await explainer.key(source.name, 'ada@example.org'))
  expect(byKey).toEqual(told.filter((line) => !line.includes(childId)))
})

test('what is not settled is named, with why', async () => {
  const { log, store, source, explainer } = scene()
  const parked = Promise.withResolvers<void>()
  const maker = processor('maker', source, {
    onExhausted: 'hold-key',
    handle: () => {
      throw new Error('broken')
    },
  })
  await started(
    run(maker, {
      log,
      store,
      commitMs: 1,
      kindOf: () => 'permanent',
      observe: ({ kind }) => kind === 'parked' && setImmediate(parked.resolve),
    }),
  )
  const [one, two] = [1, 2].map(() =>
    newEvent(source, { type: 'Happened', key: 'k', data: {}, correlationId: 'held' }),
  )
  await log.append(source, [{ events: [one ?? newEvent(source, { type: 'Happened', key: 'k', data: {} })] }])
  await parked.promise
  if (two) await log.append(source, [{ events: [two] }])
  const story = await untilStory(
    () => explainer.correlation('held'),
    ({ open }) => open.length === 2 && open.every(({ state }) => state !== 'not-reached'),
  )
  expect(story.open).toMatchObject([
    { group: 'maker', eventId: one?.id, state: 'held' },
    { group: 'maker', eventId: two?.id, state: 'in-line' },
  ])
})

test('who is unknown is said to be, and whether the index may not know it yet', async () => {
  const { log, source, explainer } = scene({ follows: false })
  for (const ask of [
    explainer.correlation('none'),
    explainer.event('none'),
    explainer.key(source.name, 'none'),
  ])
    await expect(ask).rejects.toMatchObject({ code: 'story.unknown' })
  await expect(explainer.key('nowhere', 'none')).rejects.toMatchObject({ code: 'topic.unknown' })
  const event = newEvent(source, { type: 'Happened', key: 'k', data: {}, correlationId: 'late' })
  await log.append(source, [{ events: [event] }])
  await expect(explainer.correlation('late')).rejects.toMatchObject({ details: { behind: 1 } })
})

/** Asks again until the story has come so far: commits have no signal here. */
async function untilStory(ask: () => Promise<Story>, isSo: (story: Story) => boolean): Promise<Story> {
  for (;;) {
    const story = await ask()
    if (isSo(story)) return story
    await new Promise((resolve) => setImmediate(resolve))
  }
}
