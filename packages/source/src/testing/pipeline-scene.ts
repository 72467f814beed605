import { topic } from '@millrace/event'
import { beginning, createMemoryLog, type Recorded } from '@millrace/log'
import { vi } from 'vitest'
import { z } from 'zod'
import type { Mapping } from '../mapping.ts'
import { createMemoryPipelineStore } from '../memory-pipeline-store.ts'
import { createMemorySource, MemoryDatabase, MemorySlot } from '../memory-source.ts'
import { createPipeline, type Pipeline } from '../pipeline.ts'
import type { PipelineOptions } from '../pipeline-options.ts'
import type { PipelineStore } from '../pipeline-store.ts'

/** The topic of the scene. */
export const items = topic('items', {
  types: {
    ItemChanged: z.record(z.string(), z.unknown()),
    ItemGone: z.object({}),
    ItemSnapshot: z.record(z.string(), z.unknown()),
  },
  partitions: 4,
})
/** Its table. */
export const table = 'public.items'

/** How a row becomes an event there. */
export const mapping = (extra: Partial<Mapping> = {}): Mapping => ({
  table,
  topic: items,
  snapshot: true,
  map: (change) => {
    if (change.kind === 'snapshot')
      return [{ type: 'ItemSnapshot', key: String(change.row['id']), data: change.row }]
    if (change.kind === 'truncate') return []
    const row = change.row ?? change.before ?? {}
    const type = change.kind === 'delete' ? 'ItemGone' : 'ItemChanged'
    return [{ type, key: String(row['id']), data: change.kind === 'delete' ? {} : row }]
  },
  ...extra,
})

/**
 * Everything that runs over one database in memory, in a time of its own: it passes while somebody waits by `until`,
 * `reached` or `pass`, so that no lease lapses because the machine is slow. `close` ends both.
 */
export class Scene {
  readonly running: Pipeline[] = []
  readonly database = new MemoryDatabase()
  readonly slot = new MemorySlot()
  readonly log = createMemoryLog()
  store: PipelineStore = createMemoryPipelineStore()

  constructor() {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
    })
  }

  reader(extra: Partial<Pick<PipelineOptions, 'mappings' | 'log' | 'store' | 'observe'>> = {}): Pipeline {
    const one = createPipeline({
      pipeline: 'shop',
      source: createMemorySource(this.database, this.slot),
      log: this.log,
      store: this.store,
      mappings: [mapping()],
      leaseMs: 400,
      standbyMs: 20,
      settleMs: 10,
      acknowledgeDelayMs: 0,
      chunkRows: 3,
      retryMs: 20,
      ...extra,
    })
    this.running.push(one)
    one.start()
    return one
  }

  write(id: number, v: number, kind: 'insert' | 'update' | 'delete' = 'update'): void {
    this.database.commit([{ kind, table, row: { id: String(id), v } }])
  }

  async events(): Promise<readonly Recorded[]> {
    const read = await this.log.read(
      items,
      new Map(Array.from({ length: items.partitions }, (_, at) => [at, beginning])),
      { limit: 10_000 },
    )
    return [...read.values()].flat()
  }

  /** Resolves when the log holds so many events, and stays so for a moment. */
  async reached(count: number): Promise<readonly Recorded[]> {
    await until(async () => (await this.events()).length >= count)
    await pass(60)
    return this.events()
  }

  async close(): Promise<void> {
    await Promise.all(this.running.splice(0).map((one) => one.stop()))
    vi.useRealTimers()
  }
}

/** Lets so many ms of the scene's time pass, with all that happens meanwhile. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

/** Resolves when it is so; throws after a minute of the scene's time. */
export async function until(such: () => Promise<boolean> | boolean): Promise<void> {
  for (let left = 6_000; left > 0; left--) {
    if (await such()) return
    await pass(10)
  }
  throw new Error('It did not come to that')
}
