import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import type { View } from '../view.ts'

/** What the suite's view keeps: for each key how often it was seen, and the seqs of its events. */
export interface CountRow {
  readonly key: string
  readonly partition: number
  readonly count: number
  readonly seqs: readonly number[]
}

/** What the suite's fold works with; an adapter under test brings it. */
export interface CountRows {
  get(key: string): Promise<CountRow | undefined>
  put(row: CountRow): Promise<void>
  remove(key: string): Promise<void>
  all(): Promise<readonly CountRow[]>
}

/** The data of the suite's view in memory. */
export interface CountState {
  readonly rows: Map<string, CountRow>
}

export function countRowsIn({ rows }: CountState): CountRows {
  return {
    get: async (key) => rows.get(key),
    put: async (row) => void rows.set(row.key, row),
    remove: async (key) => void rows.delete(key),
    all: async () => [...rows.values()],
  }
}

/** A view that counts events by key; data `poison` cannot be folded, data `wrong` is counted ten times (until mended). */
export function countingView(partitions: number, options: { mended?: boolean } = {}): View<CountRows> {
  const fold = async (rows: CountRows, { event, position }: Recorded) => {
    if (event.data === 'poison') throw new MillraceError('event.invalid')
    const before = await rows.get(event.subject)
    await rows.put({
      key: event.subject,
      partition: position.partition,
      count: (before?.count ?? 0) + (event.data === 'wrong' && !options.mended ? 10 : 1),
      seqs: [...(before?.seqs ?? []), position.seq],
    })
  }
  return {
    name: 'counts',
    topic: testTopic({ partitions }),
    fold,
    lastSeqs: async (rows, keys) => {
      const seqs = new Map<string, number>()
      for (const key of keys) seqs.set(key, (await rows.get(key))?.seqs.at(-1) ?? 0)
      return seqs
    },
    rewind: async (rows, { partition, seq }, history) => {
      const touched = (await rows.all()).find(
        (row) => row.partition === partition && (row.seqs.at(-1) ?? 0) > seq,
      )
      if (!touched) return 'done'
      await rows.remove(touched.key)
      for (const recorded of await history(touched.key)) await fold(rows, recorded)
      return 'more'
    },
  }
}
