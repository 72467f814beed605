import { createCdc } from '@millrace-app/cdc'
import { supplyMappings } from '@millrace-app/restocking'
import { beReader } from './reader-life.ts'
import { centralSchema, supplyPipeline } from './supply-marks.ts'

// The service of change streams with the pipeline of the central database, as a process of its own.
beReader(({ databaseUrl, holder, leaseMs, bug }, { log, store, observe }) => {
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
      if (news.kind !== 'connection') observe(news.status)
    },
  })
  cdc.start()
})
