import { createPostgresSource } from '@millrace/postgres'
import { type ChangeSource, createPipeline, type StreamItem } from '@millrace/source'
import { mappingOf, pipeline, tables, watched } from './change-tables.ts'
import { beReader } from './reader-life.ts'

// A reader of the tables of the run, as a process of its own.
beReader(({ databaseUrl, holder, leaseMs, bug }, { log, store, observe }) => {
  const source = createPostgresSource({
    url: databaseUrl,
    name: pipeline,
    tables: watched,
    onError: () => undefined,
  })
  const reader = createPipeline({
    pipeline,
    source: bug === 'acknowledges-first' ? hasty(source) : source,
    log,
    store,
    mappings: tables.map(mappingOf),
    holder,
    leaseMs,
    standbyMs: 100,
    settleMs: 50,
    acknowledgeDelayMs: 0,
    chunkRows: 100,
    retryMs: 500,
    observe,
  })
  reader.start()
})

/** The source with the bug. */
function hasty(source: ChangeSource): ChangeSource {
  const open = source.open.bind(source)
  source.open = async (from) => {
    const stream = await open(from)
    const items = stream[Symbol.asyncIterator].bind(stream)
    stream[Symbol.asyncIterator] = async function* (): AsyncGenerator<StreamItem, void> {
      for await (const item of { [Symbol.asyncIterator]: items }) {
        if (item.kind === 'changes' && item.end !== undefined) stream.acknowledge(item.end)
        yield item
      }
    }
    return stream
  }
  return source
}
