import { newEvent, topic, type Topic } from '@millrace/event'
import { type AppendResult, createMemoryLog } from '@millrace/log'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readConstraints } from './constraints.ts'
import { createKeyring } from './keyring.ts'
import { createUniq, guardedLog } from './uniq.ts'

const people = topic('people', {
  placement: 'together',
  partitions: 2,
  types: {
    Joined: z.object({}).loose(),
    Moved: z.object({}).loose(),
    Left: z.object({}).loose(),
    Waved: z.object({}).loose(),
  },
})
const file = {
  topic: 'people',
  constraints: [
    {
      name: 'email',
      normalise: ['email'],
      create: { Joined: ['contact.email'] },
      change: { Moved: ['email'] },
      release: ['Left'],
    },
    {
      name: 'seat',
      normalise: ['text', 'exact'],
      create: { Joined: ['row', 'seat'] },
      release: ['Left'],
      optional: true,
    },
  ],
}

function open() {
  const log = createMemoryLog()
  const keyring = createKeyring([{ version: '1', secret: Buffer.alloc(16, 1), normaliser: 1 }])
  const uniq = createUniq({ log, topic: people, constraints: readConstraints(file, people), keyring })
  const append = async (type: string, key: string, data: unknown) => {
    const [result] = await uniq.append([{ events: [newEvent(people, { type, key, data })] }])
    return outcome(result)
  }
  return { log, uniq, append }
}

const outcome = (result: AppendResult | undefined) =>
  result?.status === 'refused'
    ? [result.error.code, result.error.details['constraint'] ?? result.error.errors[0]?.field]
    : result?.status

describe('uniq', () => {
  test('claims, changes and releases what the configuration says', async () => {
    const { uniq, append } = open()
    expect(await append('Joined', 'a', { contact: { email: 'Anna@example.org' }, row: 'B', seat: 7 })).toBe(
      'appended',
    )
    expect(await append('Joined', 'b', { contact: { email: ' anna@EXAMPLE.org' } })).toEqual([
      'append.claimed',
      'email',
    ])
    expect(await append('Joined', 'c', { contact: { email: 'c@example.org' }, row: ' b', seat: 7 })).toEqual([
      'append.claimed',
      'seat',
    ])
    expect(await append('Moved', 'a', { email: 'new@example.org' })).toBe('appended')
    expect(await uniq.ownerOf('email', ['NEW@example.org'])).toBe('a')
    expect(await append('Left', 'a', {})).toBe('appended')
    expect(await append('Joined', 'd', { contact: { email: 'new@example.org' }, row: 'b', seat: 7 })).toBe(
      'appended',
    )
    expect(await append('Moved', 'a', { email: 'late@example.org' })).toEqual(['append.not-owner', 'email'])
  })

  test('a key is created once, even after its release', async () => {
    const { append } = open()
    expect(await append('Joined', 'a', { contact: { email: 'a@example.org' } })).toBe('appended')
    expect(await append('Left', 'a', {})).toBe('appended')
    expect(await append('Joined', 'a', { contact: { email: 'a@example.org' } })).toEqual([
      'append.version',
      undefined,
    ])
  })

  test('a value that must be unique has to be there and has to make sense', async () => {
    const { append } = open()
    expect(await append('Joined', 'a', {})).toEqual(['event.invalid', 'contact.email'])
    expect(await append('Joined', 'a', { contact: { email: ['x'] } })).toEqual([
      'event.invalid',
      'contact.email',
    ])
    expect(await append('Joined', 'a', { contact: { email: 'nonsense' } })).toEqual([
      'event.invalid',
      'contact.email',
    ])
    expect(await append('Joined', 'a', { contact: { email: 'a@example.org' }, row: 'b' })).toEqual([
      'event.invalid',
      'seat',
    ])
  })

  test('a refused unit leaves its neighbours alone and keeps its place in the answer', async () => {
    const { uniq } = open()
    const unit = (key: string, data: unknown) => ({
      events: [newEvent(people, { type: 'Joined', key, data })],
    })
    const results = await uniq.append([
      unit('a', {}),
      unit('b', { contact: { email: 'b@example.org' } }),
      unit('c', {}),
    ])
    expect(results.map(outcome)).toEqual([
      ['event.invalid', 'contact.email'],
      'appended',
      ['event.invalid', 'contact.email'],
    ])
  })

  test('a guarded log lets nothing pass its guard', async () => {
    const { log, uniq } = open()
    const guarded = guardedLog(log, [uniq])
    const forged = {
      events: [newEvent(people, { type: 'Joined', key: 'a', data: { contact: { email: 'a@example.org' } } })],
      claims: [],
    }
    expect(outcome((await guarded.append(people, [forged]))[0])).toBe('appended')
    expect(await uniq.ownerOf('email', ['a@example.org'])).toBe('a')
    const event = newEvent(people, { type: 'Waved', key: 'a', data: {} })
    expect(() =>
      guarded.appendChannel(people, {
        partition: 0,
        channel: 'c',
        incarnation: 1,
        first: 1,
        events: [event],
      }),
    ).toThrow(expect.objectContaining({ code: 'topic.guarded' }))
  })

  test.each<[string, unknown, Topic?]>([
    ['no constraint', { topic: 'people', constraints: [] }],
    ['an unknown word', { ...file, colour: 'red' }],
    ['a name twice', { topic: 'people', constraints: [file.constraints[0], file.constraints[0]] }],
    [
      'an unknown normaliser',
      { topic: 'people', constraints: [{ ...file.constraints[0], normalise: ['shout'] }] },
    ],
    [
      'an unknown event type',
      { topic: 'people', constraints: [{ ...file.constraints[0], release: ['Vanished'] }] },
    ],
    [
      'a type with two actions',
      { topic: 'people', constraints: [{ ...file.constraints[0], release: ['Joined'] }] },
    ],
    [
      'fields without normalisers',
      { topic: 'people', constraints: [{ ...file.constraints[0], create: { Joined: ['a', 'b'] } }] },
    ],
    ['a spread topic', file, topic('people', { types: people.types })],
  ])('a configuration with %s is refused', (_, json, other) => {
    expect(() => readConstraints(json, other ?? people)).toThrow(
      expect.objectContaining({ code: 'event.invalid' }),
    )
  })
})
