import { connectLog, connectPipelineStore } from '@millrace/redis'
import { createCdc } from '@millrace-app/cdc'
import { supplyMappings } from '@millrace-app/restocking'
import type { ReaderCommand, ReaderOrder, ReaderWord } from './change-process.ts'
import { Hold } from './hold.ts'
import { centralSchema, supplyPipeline } from './supply-marks.ts'

// The service of change streams with the pipeline of the central database, as a process of its own.
process.once('disconnect', () => process.exit())
process.once('message', (order: ReaderOrder) => void read(order))

async function read({ redisUrl: url, databaseUrl, holder, leaseMs, bug }: ReaderOrder): Promise<void> {
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
  if (bug === 'forgets-marks') {
    const channel = log.channel.bind(log)
    log.channel = async (...of) => ({ ...(await channel(...of)), mark: undefined })
  }
  const mappings = supplyMappings(centralSchema)
  const cdc = createCdc({
    pipelines: [
      {
        name: supplyPipeline,
        database: databaseUrl,
        tables: mappings.map(({ table }) => ({ table })),
        mappings,
      },
    ],
    ...{ log, store, holder, leaseMs },
    standbyMs: 100,
    settleMs: 100,
    retryMs: 500,
    observe: (news) => {
      if (news.kind === 'connection') return
      const { state, error } = news.status
      say({ type: 'state', state, why: error ? `${error.code}: ${error.message}` : '' })
    },
  })
  cdc.start()
  process.on('message', (command: ReaderCommand) => {
    if (command === 'let-append') hold.end()
    else hold.begin()
  })
}

function say(word: ReaderWord): void {
  process.send?.(word, () => undefined)
}
