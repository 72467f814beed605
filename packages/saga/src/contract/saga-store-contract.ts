import { afterAll, describe, expect, test } from 'vitest'
import type { SagaDraft, SagaProgress, SagaStore, TakenSaga } from '../saga-store.ts'

const progress: SagaProgress = {
  state: 'running',
  done: 1,
  results: { first: { a: 1 } },
  failures: 0,
  dueMs: 2_000,
}

/** Takes a saga that is free. */
async function hand(store: SagaStore, id: string, nowMs: number): Promise<TakenSaga> {
  const taken = await store.take(id === 'due' ? id : { id }, nowMs, id === 'due' ? 1e6 : 500)
  if (!taken) throw new Error(`There is nothing to take: ${id}`)
  return taken
}

/** What every store of sagas does. `open` is called once; `close` afterwards. */
export function describeSagaStoreContract(
  name: string,
  open: () => Promise<{ readonly store: SagaStore; close(): Promise<void> }>,
): void {
  describe(`${name} as a store of sagas`, async () => {
    let opened: ReturnType<typeof open> | undefined
    const opening = () => (opened ??= open())
    let ids = 0
    afterAll(async () => (await opened)?.close())

    const begin = async (startedMs = 1_000): Promise<[SagaStore, SagaDraft]> => {
      const { store } = await opening()
      const draft = {
        id: `saga-${++ids}`,
        saga: 'order',
        input: { n: ids },
        correlationId: 'c',
        startedMs,
      }
      await store.begin(draft)
      return [store, draft]
    }

    test('a new one is recorded once; a repeat answers what is there', async () => {
      const [store, draft] = await begin()
      const { id } = draft
      const taken = await hand(store, id, 1_000)
      await store.save(taken, progress)
      const again = await store.begin({ ...draft, input: 'another' })
      expect(again).toEqual({ ...draft, ...progress })
      expect(await store.get(id)).toEqual(again)
      expect(await store.get('none')).toBeUndefined()
    })

    test('one hand at a time: nobody else has it until it is saved or its hold is over', async () => {
      const [store, { id }] = await begin()
      const first = await hand(store, id, 1_000)
      expect(first?.record).toMatchObject({ id, state: 'running', done: 0, failures: 0 })
      expect(await store.take({ id }, 1_499, 500)).toBeUndefined()
      const second = await hand(store, id, 1_500)
      expect(await store.save(first, progress)).toBe(false)
      expect(await store.get(id)).toMatchObject({ done: 0 })
      expect(await store.save(second, progress, 5_000)).toBe(true)
      expect(await store.take({ id }, 4_999, 500)).toBeUndefined()
      expect(await store.save(second, { ...progress, done: 2 })).toBe(true)
      expect(await store.save(second, { ...progress, done: 3 })).toBe(false)
      expect(await store.take({ id }, 5_000, 500)).toMatchObject({ record: { done: 2 } })
    })

    test('many hands at once: one of them has it', async () => {
      const [store, { id }] = await begin()
      const hands = await Promise.all(Array.from({ length: 20 }, () => store.take({ id }, 1_000, 500)))
      expect(hands.filter((hand) => hand !== undefined)).toHaveLength(1)
    })

    test('what is due is found, the longest due first, and nothing that has ended', async () => {
      const [store, later] = await begin(20)
      const [, earlier] = await begin(10)
      const [first, second] = [await hand(store, 'due', 500), await hand(store, 'due', 500)]
      expect([first.record.id, second.record.id]).toEqual([earlier.id, later.id])
      expect(await store.take('due', 500, 1e6)).toBeUndefined()
      await store.save(first, { ...progress, state: 'done', dueMs: 5 })
      await store.save(second, { ...progress, dueMs: 9_000 })
      expect(await store.take('due', 500, 1e6)).toBeUndefined()
      expect(await store.take({ id: earlier.id }, 9_000, 1)).toBeUndefined()
    })

    test('what needs attention is decided once, and then goes on', async () => {
      const [store, { id }] = await begin()
      expect(await store.decide(id, 'running', 1_000)).toBe(false)
      const error = { code: 'mail.refused', message: 'no such mailbox', step: 'mail' }
      const taken = await hand(store, id, 1_000)
      await store.save(taken, { ...progress, state: 'needs-attention', failures: 3, error })
      expect(await store.take({ id }, 9_000, 500)).toBeUndefined()
      expect((await store.list({ state: 'needs-attention' })).map((one) => one.id)).toEqual([id])
      expect(await store.decide(id, 'running', 3_000)).toBe(true)
      expect(await store.decide(id, 'settled', 3_000)).toBe(false)
      expect(await store.get(id)).toMatchObject({
        state: 'running',
        failures: 0,
        dueMs: 3_000,
        error,
        done: 1,
      })
      expect(await store.take({ id }, 3_000, 500)).toBeDefined()
    })

    test('an error that is over is forgotten', async () => {
      const [store, { id }] = await begin()
      const taken = await hand(store, id, 1_000)
      const error = { code: 'internal', message: 'once', step: 'first' }
      await store.save(taken, { ...progress, error }, 2_000)
      await store.save(taken, progress)
      expect(await store.get(id)).not.toHaveProperty('error')
    })
  })
}
