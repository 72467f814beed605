import type { SuggestionStatus } from '@millrace-app/restocking'
import { suggestions, supply } from '@millrace-app/restocking/topics'
import { followed } from '../consumer-log.ts'
import { peerClient } from '../peers.ts'
import type { RunningService, ServiceContext, ServiceFactory } from '../service-factory.ts'

/** Name of the pipeline from the central database. */
const pipeline = 'purchasing'

/** Told though there is none: then it is known that there is none. */
const noSuggestions: Readonly<Record<SuggestionStatus, number>> = {
  ...{ open: 0, snoozed: 0, 'in-progress': 0, completed: 0 },
  ...{ 'needs-attention': 0, dismissed: 0, withdrawn: 0 },
}

/** Restocking suggestions, and the change stream that feeds them. */
export const restockingService: ServiceFactory = {
  name: 'restocking',
  summary: 'restocking suggestions out of orders, products and stock',
  needs: ['redis', 'postgres'],
  ports: [{ setting: 'RESTOCKING_PORT' }],
  start: async (context) => {
    const { settings, secrets, kit, databaseUrl, smtpUrl, member } = context
    const { createRestocking, openSuggestionStore, openVerdictView, purchasingClient, supplierMail } =
      await import('@millrace-app/restocking')
    const { createMailSender } = await import('@millrace/smtp')
    const { retryClockOf } = await import('../retry-clock.ts')
    const { serveHttp } = await import('@millrace/hono')
    const http = kit.http('restocking')
    const connection = {
      url: databaseUrl,
      schemas: { own: 'restocking', view: 'restocking_view' },
      applicationName: 'millrace restocking',
      onError: (error: Error) => http.logger.warn('A connection to PostgreSQL was lost', { err: error }),
    }
    const [store, view] = [await openSuggestionStore(connection), await openVerdictView(connection)]
    const sender = createMailSender(smtpUrl, { name: settings.MAIL_NAME, address: settings.MAIL_FROM })
    const client = peerClient(context, 'purchasing', { token: secrets.SERVICE_TOKEN, timeoutMs: 5_000 })
    const retryClocks = {
      review: await retryClockOf(context, 'restocking', supply),
      view: await retryClockOf(context, 'restocking-view', suggestions),
    }
    const service = createRestocking({
      ...{ store, view, http, retryClocks },
      log: await kit.log(),
      groups: await kit.groups(),
      members: await kit.members(),
      freshName: () => member,
      purchasing: purchasingClient(client),
      mail: supplierMail({
        sender,
        messageIdHost: settings.MAIL_FROM.slice(settings.MAIL_FROM.lastIndexOf('@') + 1),
        from: settings.MAIL_NAME,
      }),
      snapshot: async (signal) => {
        const { body } = await client.fetch('/snapshot', { signal, timeoutMs: 60_000 })
        return body ?? new ReadableStream()
      },
      tokens: [secrets.SERVICE_TOKEN, secrets.INTAKE_TOKEN],
      observe: followed(http.logger),
      onTrouble: (error) => http.logger.warn('Restocking has trouble', { err: error }),
    })
    await service.start()
    for (const [group, topic, of] of [
      ['restocking', supply, 'review'],
      ['restocking-view', suggestions, 'view'],
    ] as const) {
      kit.meters.watchGroup({ topic, group, health: () => service.health()[of] })
      kit.health.add({ name: group, check: () => service.health()[of] })
    }
    kit.meters.watchSuggestions(async () => ({ ...noSuggestions, ...(await store.counts()) }))
    const stream = await startStream(context)
    context.publish('restocking', (request) => service.app.fetch(request, {}))
    // Product information comes from outside, and so does who asks for the initialiser.
    const { HOST: host, RESTOCKING_PORT: port } = settings
    const listening = await serveHttp(service.app, { host, port, portVariable: 'RESTOCKING_PORT' })
    // A system without anything begins with what the central database has.
    const filling = new AbortController()
    const filled = stream
      .streaming(filling.signal)
      .then(() => service.fillWhenEmpty(filling.signal))
      .catch((error: unknown) => {
        if (!filling.signal.aborted)
          http.logger.warn('The system was not filled by itself; millrace restocking initialise does it', {
            err: error,
          })
      })
    return {
      stop: async () => {
        filling.abort()
        await filled
        await listening.stop()
        await stream.stop()
        await service.stop()
        for (const clock of Object.values(retryClocks)) await clock.close()
        await sender.stop()
        await Promise.all([store.close(), view.close()])
      },
    }
  },
}

/** The change stream of the central database, embedded: of several processes one reads it. */
async function startStream(
  context: ServiceContext,
): Promise<RunningService & { streaming(signal: AbortSignal): Promise<void> }> {
  const { kit, redisUrl, databaseUrl, member } = context
  const { supplyMappings } = await import('@millrace-app/restocking')
  const { createPostgresSource } = await import('@millrace/postgres')
  const { connectPipelineStore } = await import('@millrace/redis')
  const { createPipeline } = await import('@millrace/source')
  const logger = kit.logger.child({ service: 'restocking' })
  const store = await connectPipelineStore({ url: redisUrl, name: 'millrace-restocking' })
  const mappings = supplyMappings('purchasing')
  let wake = (): void => undefined
  const reader = createPipeline({
    ...{ pipeline, mappings, store, holder: member },
    log: await kit.log(),
    source: createPostgresSource({
      url: databaseUrl,
      name: pipeline,
      tables: mappings.map(({ table }) => ({ table })),
      onError: (error) => logger.warn('A connection to the central database was lost', { err: error }),
    }),
    observe: ({ state, error }) => {
      wake()
      if (error) logger.error(`The change stream ${pipeline}: ${error.message}`)
      else logger.info(`The change stream ${pipeline}: ${state}`)
    },
  })
  reader.start()
  kit.meters.watchPipeline(pipeline, () => reader.status())
  kit.health.add({ name: `cdc ${pipeline}`, critical: false, check: () => reader.health() })
  return {
    streaming: async (signal) => {
      signal.addEventListener('abort', () => wake(), { once: true })
      while (!signal.aborted && reader.status().state !== 'streaming')
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    },
    stop: async () => {
      await reader.stop()
      await store.close()
    },
  }
}
