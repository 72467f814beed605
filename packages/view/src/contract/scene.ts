import { createMemoryLog, type MemoryLog, type Recorded } from '@millrace/log'
import { unit } from '@millrace/log/contract'
import type { View } from '../view.ts'
import type { ViewStore } from '../view-store.ts'
import { type CountRows, countingView } from './counting-view.ts'

/** A view store to put through the suite: several instances on the same data, as of several processes. */
export interface ViewStoreUnderTest {
  /** Opens one more instance; the first one finds no data. */
  open(): Promise<ViewStore<CountRows>>
  /** Deletes the live data, as an operator might. */
  destroy(): Promise<void>
  close(): Promise<void>
}

/** A store under test with a view, a log and its events. */
export class Scene {
  readonly log: MemoryLog = createMemoryLog()
  readonly view: View<CountRows>
  readonly subject: ViewStoreUnderTest

  constructor(subject: ViewStoreUnderTest, partitions: number) {
    this.subject = subject
    this.view = countingView(partitions)
  }

  /** Opens an instance that is ready. */
  async open(): Promise<ViewStore<CountRows>> {
    const store = await this.subject.open()
    await store.prepare()
    return store
  }

  /** Appends one event for each: a key, or a key with data. */
  async append(...events: readonly (string | readonly [key: string, data: string])[]): Promise<void> {
    await this.log.append(
      this.view.topic,
      events.map((event) =>
        typeof event === 'string'
          ? unit(this.view.topic, event)
          : unit(this.view.topic, event[0], { data: event[1] }),
      ),
    )
  }

  async events(partition = 0): Promise<readonly Recorded[]> {
    const all = await this.log.read(this.view.topic, new Map([[partition, '0-0']]), { limit: 10_000 })
    return all.get(partition) ?? []
  }

  /** Applies everything that the store does not have. */
  async follow(store: ViewStore<CountRows>): Promise<void> {
    for (let partition = 0; partition < this.view.topic.partitions; partition++) {
      const events = await this.events(partition)
      if (events.length > 0) await store.apply(events, this.view)
    }
  }
}

/** How often each key was counted. */
export async function countsOf(store: ViewStore<CountRows>): Promise<Readonly<Record<string, number>>> {
  const rows = await store.read((all) => all.all())
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]))
}
