import { readFileSync } from 'node:fs'
import { accounts } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { ServiceFactory } from '../service-factory.ts'

/** Change streams of databases. Does nothing unless CDC_PIPELINES names a file. */
export const cdcService: ServiceFactory = {
  name: 'cdc',
  summary: 'change streams: committed changes of databases onto the log, as CDC_PIPELINES says',
  needs: ['redis'],
  ports: [],
  start: async (context) => {
    const { settings, kit, redisUrl, databaseUrl, member } = context
    const file = settings.CDC_PIPELINES
    if (file === undefined) return { stop: async () => undefined }
    const { createCdc, readPipelines } = await import('@millrace-app/cdc')
    const { connectPipelineStore } = await import('@millrace/redis')
    const logger = kit.logger.child({ service: 'cdc' })
    // Addresses of databases hold passwords: the file names variables instead.
    const variables = { ...process.env, ...(databaseUrl === '' ? {} : { DATABASE_URL: databaseUrl }) }
    const pipelines = readPipelines(textOf(file), variables, [accounts])
    const store = await connectPipelineStore({ url: redisUrl, name: 'millrace-cdc' })
    const cdc = createCdc({
      pipelines,
      log: await kit.log(),
      store,
      holder: member,
      observe: (news) => {
        if (news.kind === 'connection')
          logger.warn(`Pipeline ${news.pipeline}: a connection to its database was lost`, { err: news.error })
        else if (news.status.error) logger.error(`Pipeline ${news.pipeline}: ${news.status.error.message}`)
        else logger.info(`Pipeline ${news.pipeline}: ${news.status.state}`)
      },
    })
    cdc.start()
    for (const one of cdc.pipelines) {
      kit.meters.watchPipeline(one.name, () => one.status())
      // Everything else works on with what it has.
      kit.health.add({ name: `cdc ${one.name}`, critical: false, check: () => one.health() })
    }
    return {
      stop: async () => {
        await cdc.stop()
        await store.close()
      },
    }
  },
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new MillraceError('settings.invalid', `CDC_PIPELINES: ${file} cannot be read`, { cause })
  }
}
