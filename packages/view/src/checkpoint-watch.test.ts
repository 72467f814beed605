import type { Position } from '@millrace/log'
import { expect, test } from 'vitest'
import type { Checkpoint } from './checkpoint.ts'
import { CheckpointWatch } from './checkpoint-watch.ts'
import type { Moved } from './view-store.ts'

/** A view that stands where the test says, and tells of it only when it should. */
function standing() {
  const stands = new Map<number, Checkpoint>([[0, { id: '0-0', seq: 0 }]])
  const listeners = new Set<(moved: Moved) => void>()
  let asked = 0
  const tell = (moved: Moved) => {
    for (const listener of listeners) listener(moved)
  }
  return {
    asked: () => asked,
    move(seq: number, options: { silently?: boolean } = {}) {
      stands.set(0, { id: `1-${seq}`, seq })
      if (!options.silently) tell({ partition: 0, checkpoint: { id: `1-${seq}`, seq }, applied: new Map() })
    },
    /** Applies events behind the checkpoint. */
    apply(applied: Readonly<Record<number, string>>) {
      const events = new Map(Object.entries(applied).map(([seq, key]) => [Number(seq), key]))
      tell({ partition: 0, checkpoint: stands.get(0) ?? { id: '0-0', seq: 0 }, applied: events })
    },
    checkpoints: async () => {
      asked += 1
      return new Map(stands)
    },
    onMoved(listener: (moved: Moved) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const at = (seq: number): Position => ({ topic: 'accounts', partition: 0, id: `1-${seq}`, seq })

test('who asks for what the view has does not wait', async () => {
  const view = standing()
  view.move(5)
  const watch = new CheckpointWatch(view, { pollMs: 60_000 })
  await watch.reached(at(5), 60_000)
  watch.stop()
  expect(view.asked()).toBe(1)
})

test('the signal of this process wakes exactly those who have waited for it', async () => {
  const view = standing()
  const watch = new CheckpointWatch(view, { pollMs: 60_000 })
  const woken: number[] = []
  const waiting = [1, 2, 3].map(async (seq) => {
    await watch.reached(at(seq), 60_000)
    woken.push(seq)
  })
  view.move(2)
  await Promise.all(waiting.slice(0, 2))
  expect(woken).toEqual([1, 2])
  view.move(3)
  await Promise.all(waiting)
  watch.stop()
})

test('an event behind the checkpoint is enough for who reads its key, and for nobody else', async () => {
  const view = standing()
  const watch = new CheckpointWatch(view, { pollMs: 60_000 })
  const waiting = watch.reached(at(3), 60_000, 'a')
  view.apply({ 2: 'b', 3: 'a' })
  await waiting
  await watch.reached(at(2), 60_000, 'b')
  for (const [seq, key] of [
    [1, 'a'],
    [2, 'a'],
    [3, undefined],
  ] as const)
    // oxfmt-ignore
    await expect(watch.reached(at(seq), 5, key)).rejects.toMatchObject({ code: 'view.behind' })
  watch.stop()
})

test('what another process applies is found by asking, once for all who wait', async () => {
  const view = standing()
  const watch = new CheckpointWatch(view, { pollMs: 5 })
  const waiting = Array.from({ length: 50 }, () => watch.reached(at(1), 60_000))
  view.move(1, { silently: true })
  await Promise.all(waiting)
  watch.stop()
  expect(view.asked()).toBeLessThan(10)
})

test('after the time it says how far behind, and keeps nothing', async () => {
  const watch = new CheckpointWatch(standing(), { pollMs: 60_000 })
  await expect(watch.reached(at(1), 5)).rejects.toMatchObject({
    code: 'view.behind',
    details: { position: 'accounts/0/1-1' },
  })
  watch.stop()
})

test('too many do not wait, a stop lets go of all', async () => {
  const watch = new CheckpointWatch(standing(), { mostWaiting: 1, pollMs: 60_000 })
  const waiting = watch.reached(at(1), 60_000)
  await expect(watch.reached(at(1), 60_000)).rejects.toMatchObject({ code: 'service.busy' })
  watch.stop()
  await expect(waiting).rejects.toMatchObject({ code: 'service.unavailable' })
})
