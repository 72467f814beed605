import { expect, test } from 'vitest'
import { followed } from './consumer-log.ts'

const said: string[] = []
const say = (level: string) => (message: string) => void said.push(`${level}: ${message}`)
const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }

test('a key that is tried again by itself is a warning; one that waits for an operator is an error', () => {
  const tell = followed(logger)
  const parked = { kind: 'parked', topic: 'orders', group: 'bills', member: 'm', partition: 1 } as const
  const about = { key: 'order-1', seq: 7, error: new Error('away') }
  tell({ ...parked, ...about, dueMs: Date.UTC(2026, 10, 22, 11) })
  tell({ ...parked, ...about })
  expect(said).toEqual([
    'warn: A key waits: its first event failed, and is tried again at 2026-11-22T11:00:00.000Z',
    'error: A key waits for its first event to be repaired',
  ])
})
