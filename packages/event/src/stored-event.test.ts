import { expect, test } from 'vitest'
import { z } from 'zod'
import { newEvent } from './codec.ts'
import { oversizeEvent, storedEvent } from './stored-event.ts'
import { topic, upcast } from './topic.ts'

const things = topic('things', { partitions: 1, types: { Made: z.object({ n: z.number() }) } })
const good = newEvent(things, { type: 'Made', key: 'k', data: { n: 1 } })
const place = '1767225600000-42'

test('a good event is taken as it is', () => {
  expect(storedEvent(good, place)).toBe(good)
  expect(upcast(things, good)).toEqual(good)
})

test.each([
  ['type', undefined, '(unreadable)'],
  ['type', 7, '(unreadable)'],
  ['subject', '', '(unreadable)'],
  ['time', 'soon', '2026-01-01T00:00:00.000Z'],
  ['id', 'a\u0007b', `unreadable-${place}`],
  ['correlationid', undefined, `unreadable-${place}`],
])(
  'an event whose %s is %j goes on with what can be read, and is refused with the reason',
  (name, value, then) => {
    const event = storedEvent({ ...good, [name]: value }, place)
    expect(event).toMatchObject({ ...good, [name]: then })
    expect(() => upcast(things, event)).toThrow(
      expect.objectContaining({ code: 'event.invalid', message: expect.stringContaining(name) }),
    )
  },
)

test('one that is too large is refused for that', () => {
  const event = oversizeEvent({ ...good }, 5_000_000)
  expect(() => upcast(things, event)).toThrow(expect.objectContaining({ code: 'event.too-large' }))
})

test.each([[{}], [[]], [null], ['text'], [{ id: 1 }]])('%j is no event', (value) => {
  expect(() => storedEvent(value, place)).toThrow(expect.objectContaining({ code: 'event.invalid' }))
})
