import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { counterOf } from '@millrace/log'
import type { PipelineStore } from '../pipeline-store.ts'

/** What every store of pipelines promises. */
export function describePipelineStoreContract(
  name: string,
  open: () => Promise<{ readonly store: PipelineStore; close(): Promise<void> }>,
): void {
  describe(`${name} as a store of pipelines`, () => {
    const opened = open()
    let pipelines = 0
    const fresh = async () => ({ store: (await opened).store, pipeline: `shop-${++pipelines}` })
    afterAll(async () => (await opened).close())

    test('a lease has one holder, who may take it again, and a fresh token each time', async () => {
      const { store, pipeline } = await fresh()
      const first = await store.take({ pipeline, holder: 'a', leaseMs: 60_000 })
      expect(first.status).toBe('leased')
      expect(await store.take({ pipeline, holder: 'b', leaseMs: 60_000 })).toMatchObject({
        status: 'held',
        holder: 'a',
      })
      const again = await store.take({ pipeline, holder: 'a', leaseMs: 60_000 })
      if (first.status !== 'leased' || again.status !== 'leased') throw new Error('No lease')
      expect(counterOf(again.token)).toBe(counterOf(first.token) + 1)
      expect(await store.renew(pipeline, first.token, 60_000, '')).toBeUndefined()
      expect(await store.renew(pipeline, again.token, 60_000, '{}')).toMatchObject({ paused: false })
    })

    test('a lapsed lease goes to who asks first, and its last holder hears of it', async () => {
      const { store, pipeline } = await fresh()
      const first = await store.take({ pipeline, holder: 'a', leaseMs: 20 })
      await pause(40)
      expect((await store.take({ pipeline, holder: 'b', leaseMs: 60_000 })).status).toBe('leased')
      const token = first.status === 'leased' ? first.token : ''
      expect(await store.renew(pipeline, token, 60_000, '')).toBeUndefined()
    })

    test('a lease that was given back is free at once; who has lost it gives nothing back', async () => {
      const { store, pipeline } = await fresh()
      const first = await store.take({ pipeline, holder: 'a', leaseMs: 60_000 })
      if (first.status !== 'leased') throw new Error('No lease')
      await store.release(pipeline, first.token, '{"state":"ended"}')
      expect(await store.look(pipeline)).toMatchObject({ holder: 'a', status: '{"state":"ended"}' })
      expect((await store.take({ pipeline, holder: 'b', leaseMs: 60_000 })).status).toBe('leased')
      await store.release(pipeline, first.token, '')
      expect((await store.take({ pipeline, holder: 'c', leaseMs: 60_000 })).status).toBe('held')
    })

    test('a token is above any fence that was seen', async () => {
      const { store, pipeline } = await fresh()
      const answer = await store.take({ pipeline, holder: 'a', leaseMs: 60_000, above: 41 })
      expect(answer.status === 'leased' && counterOf(answer.token)).toBe(42)
    })

    test('orders reach the holder, and whoever comes next', async () => {
      const { store, pipeline } = await fresh()
      const first = await store.take({ pipeline, holder: 'a', leaseMs: 60_000 })
      if (first.status !== 'leased') throw new Error('No lease')
      await store.pause(pipeline)
      expect(await store.snapshot(pipeline, 'public.orders')).toBe(2)
      expect(await store.snapshot(pipeline, 'public.orders')).toBe(3)
      expect(await store.renew(pipeline, first.token, 60_000, '')).toEqual({
        paused: true,
        resumed: 0,
        restarted: 0,
        snapshots: { 'public.orders': 3 },
      })
      await store.resume(pipeline)
      expect(await store.renew(pipeline, first.token, 60_000, '')).toMatchObject({
        paused: false,
        resumed: 1,
      })
      await store.restart(pipeline)
      expect(await store.renew(pipeline, first.token, 60_000, '')).toMatchObject({ resumed: 2, restarted: 1 })
      expect((await store.list()).map((one) => one.pipeline)).toContain(pipeline)
      expect(await store.look('nobody')).toBeUndefined()
    })
  })
}
