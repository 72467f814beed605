import { connectLog, connectPipelineStore, type RedisLog, type RedisPipelineStore } from '@millrace/redis'
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

/** What a reader works with: a log that can hold its appends back, and says which were fenced. */
export interface ReaderTools {
  readonly log: RedisLog
  readonly store: RedisPipelineStore
  /** Says in which state the reader is. */
  readonly observe: (status: {
    readonly state: string
    readonly error?: { readonly code: string; readonly message: string }
  }) => void
}

/**
 * Makes this process a reader, which can be killed and stopped: it reads when it is told what, and ends with whoever
 * started it.
 */
export function beReader(start: (order: ReaderOrder, tools: ReaderTools) => void): void {
  process.once('disconnect', () => process.exit())
  process.once('message', (order: ReaderOrder) => void begin(order))

  async function begin(order: ReaderOrder): Promise<void> {
    const reach = { url: order.redisUrl, commandTimeoutMs: 2_000 }
    const [log, store] = [await connectLog(reach), await connectPipelineStore(reach)]
    const hold = new Hold(() => say({ type: 'holding' }))
    const append = log.appendChannel.bind(log)
    log.appendChannel = async (topic, batch) => {
      await hold.passed()
      const result = await append(topic, batch)
      if (result.status === 'refused' && result.error.code === 'append.channel-fenced')
        say({ type: 'fenced' })
      return result
    }
    const observe: ReaderTools['observe'] = ({ state, error }) =>
      say({ type: 'state', state, why: error ? `${error.code}: ${error.message}` : '' })
    start(order, { log, store, observe })
    process.on('message', (command: ReaderCommand) => {
      if (command === 'let-append') hold.end()
      else hold.begin()
    })
  }
}

function say(word: ReaderWord): void {
  process.send?.(word, () => undefined)
}
