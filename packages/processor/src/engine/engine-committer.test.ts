import { createMemoryLog } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import type { EndReason } from '../consumer-event.ts'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { EngineCommitter } from './engine-committer.ts'
import { EngineLease } from './engine-lease.ts'

const leaseMs = 1_000

/** A member that says what contradicts itself: how its work ends, when somebody else has taken the lease and when not. */
async function endOf(takenOver: boolean): Promise<readonly [reason: EndReason, told: readonly string[]]> {
  const store = createMemoryGroupStore({ log: createMemoryLog() })
  const at = { topic: testTopic({ partitions: 1 }), partition: 0, group: 'readers' }
  const held = await store.acquire(at, 'member', leaseMs)
  if (held === undefined) throw new TypeError('Nobody else has it')
  const lease = new EngineLease(store, at, held, { leaseMs, askedAtMs: 0, elapsedMs: () => 0 })
  // The same member may ask again at once, and has a new token then.
  if (takenOver) await store.acquire(at, 'member', leaseMs)
  const told: string[] = []
  const settings = {
    tell: ({ kind }: { readonly kind: string }) => void told.push(kind),
    timers: { set: () => () => undefined },
    random: () => 0,
    commitEvery: 1,
    commitMs: 1,
  }
  return new Promise((resolve) => {
    const committer = new EngineCommitter(settings, lease, {
      uncommitted: () => 1,
      harvest: () => ({
        content: { position: { id: '1-5', seq: 5 }, ahead: [3], dead: [] },
        committed: () => undefined,
      }),
      failed: (reason) => {
        committer.end()
        resolve([reason, told])
      },
    })
    committer.noted()
  })
}

test('who contradicts himself because he was fenced long ago ends as one who was fenced', async () => {
  expect(await endOf(true)).toEqual(['lost', ['fenced']])
})

test('who contradicts himself with his lease in hand is at fault', async () => {
  expect(await endOf(false)).toEqual(['fault', []])
})
