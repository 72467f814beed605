import { createPostgresSource } from '@millrace/postgres'
import { connectLog, connectPipelineStore } from '@millrace/redis'
import { type ChangeSource, createPipeline, type StreamItem } from '@millrace/source'
import { mappingOf, pipeline, tables, watched } from './change-tables.ts'
import { Hold } from './hold.ts'

/** What a reader is told at its start. */
export interface ReaderOrder {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly holder: string
  readonly leaseMs: number
  /**
   * A bug for which a run must turn red: the source is told that a transaction is safe before it is; or a reader does
   * not ask where the log stands, and begins where the source does.
   */
  readonly bug?: 'acknowledges-first' | 'forgets-marks'
}

/** What it is told later. */
export type ReaderCommand =
  /** Say so before the next append goes out, and wait. */
  | 'hold-append'
  /** Let it go out. */
  | 'let-append'

/** What it says. */
export type ReaderWord =
  | { readonly type: 'state'; readonly state: string; readonly why: string }
  | { readonly type: 'holding' }
  | { readonly type: 'fenced' }

// A process of its own, so that it can be killed and stopped. It ends with whoever started it.
process.once('disconnect', () => process.exit())
process.once('message', (order: ReaderOrder) => void read(order))

async function read(order: ReaderOrder): Promise<void> {
  const { redisUrl: url, databaseUrl, holder, leaseMs } = order
  const reach = { url, commandTimeoutMs: 2_000 }
  const [log, store] = [await connectLog(reach), await connectPipelineStore(reach)]
  const hold = new Hold(() => say({ type: 'holding' }))
  const append = log.appendChannel.bind(log)
  log.appendChannel = async (topic, batch) => {
    await hold.passed()
    const result = await append(topic, batch)
    if (result.status === 'refused' && result.error.code === 'append.channel-fenced') say({ type: 'fenced' })
    return result
  }
  const source = createPostgresSource({
    url: databaseUrl,
    name: pipeline,
    tables: watched,
    onError: () => undefined,
  })
  const reader = createPipeline({
    pipeline,
    source: order.bug === 'acknowledges-first' ? hasty(source) : source,
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
    observe: ({ state, error }) =>
      say({ type: 'state', state, why: error ? `${error.code}: ${error.message}` : '' }),
  })
  reader.start()
  process.on('message', (command: ReaderCommand) => {
    if (command === 'let-append') hold.end()
    else hold.begin()
  })
}

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

function say(word: ReaderWord): void {
  process.send?.(word, () => undefined)
}
