import { MillraceError, newEncodedEvent } from '@millrace/event'
import { expect, test } from 'vitest'
import { happened, testTopic } from './contract/index.ts'
import { prepare } from './prepare.ts'

const topic = testTopic()
const made = newEncodedEvent(topic, { type: 'Happened', key: 'a', data: { at: 1 }, source: '/test' })
const textsOf = (prepared: ReturnType<typeof prepare>) =>
  prepared instanceof MillraceError ? prepared.code : prepared.texts

test('an event that comes with its JSON is not encoded again', () => {
  const text = JSON.stringify(made.event).replace('{', '{ ')
  const prepared = prepare(topic, { events: [made.event], encoded: [{ event: made.event, text }] })
  expect(textsOf(prepared)).toEqual([text])
  expect(prepared).toMatchObject({ bytes: text.length })
})

test('the JSON of another event is left alone', () => {
  const event = happened(topic, 'a', { at: 2 })
  expect(textsOf(prepare(topic, { events: [event], encoded: [made] }))).toEqual([JSON.stringify(event)])
  expect(textsOf(prepare(topic, { events: [event, made.event], encoded: [made] }))).toEqual([
    JSON.stringify(event),
    JSON.stringify(made.event),
  ])
})
