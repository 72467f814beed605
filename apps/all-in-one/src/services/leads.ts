import { offers, sales } from '@millrace-app/leads/topics'
import { followed } from '../consumer-log.ts'
import type { ServiceContext, ServiceFactory } from '../service-factory.ts'
import { addressOf } from '../welcome.ts'

/** The groups of the service, and what they follow. */
const topicOf = { leads: offers, 'legacy-feed': offers, 'leads-view': sales } as const

/** Sales leads out of offers on cars. */
export const leadsService: ServiceFactory = {
  name: 'leads',
  summary: 'offers on cars in, sales leads and call tasks out',
  needs: ['redis', 'postgres'],
  ports: [{ setting: 'LEADS_PORT', shows: 'Leads' }],
  start: async (context) => {
    const { settings, secrets, kit, databaseUrl, member } = context
    const { createLeads, openSalesView } = await import('@millrace-app/leads')
    const { serveHttp } = await import('@millrace/hono')
    const { purposeKey } = await import('@millrace/service')
    const { retryClockOf } = await import('../retry-clock.ts')
    const http = kit.http('leads')
    const view = await openSalesView({
      url: databaseUrl,
      applicationName: 'millrace leads',
      onError: (error) => http.logger.warn('A connection to PostgreSQL was lost', { err: error }),
    })
    const { desk, delivery } = await deskOf(context)
    const retryClocks = {
      leads: await retryClockOf(context, 'leads', offers),
      'legacy-feed': await retryClockOf(context, 'legacy-feed', offers),
      'leads-view': await retryClockOf(context, 'leads-view', sales),
    }
    const service = createLeads({
      ...{ desk, view, http, retryClocks },
      ...(await legacyOf(context)),
      log: await kit.log(),
      groups: await kit.groups(),
      members: await kit.members(),
      freshName: () => member,
      tokens: [secrets.INTAKE_TOKEN, secrets.SERVICE_TOKEN],
      idempotencySecret: purposeKey(secrets.MILLRACE_SECRET, 'idempotency'),
      observe: followed(http.logger),
      comparisonFailed: (error) =>
        http.logger.warn('Leads could not be compared with the legacy system', { err: error }),
    })
    await service.start()
    for (const [group, topic] of Object.entries(topicOf)) {
      const health = () => service.health()[group as keyof typeof topicOf]
      const known = health()
      if (!known) continue
      kit.meters.watchGroup({ topic, group, health: () => health() ?? known })
      // What is outside and away is degraded; down is a group that makes no progress.
      kit.health.add({ name: group, check: () => health() ?? known })
    }
    context.publish('leads', (request) => service.app.fetch(request, {}))
    const { HOST: host, LEADS_PORT: port } = settings
    const listener = await serveHttp(service.app, { host, port, portVariable: 'LEADS_PORT' })
    return {
      stop: async () => {
        await listener.stop()
        await service.stop()
        for (const clock of Object.values(retryClocks)) await clock.close()
        await delivery.stop()
        await view.close()
      },
    }
  },
}

/** Who quotes, mails and calls. */
async function deskOf({ settings, kit, smtpUrl }: ServiceContext) {
  const { createLogDesk } = await import('@millrace-app/leads')
  const { createMailDelivery, createMailSender } = await import('@millrace/smtp')
  const from = { name: settings.MAIL_NAME, address: settings.MAIL_FROM }
  const delivery = createMailDelivery(createMailSender(smtpUrl, from))
  const desk = createLogDesk({
    log: await kit.log(),
    delivery,
    mails: {
      product: {
        name: settings.MAIL_NAME,
        url: settings.PUBLIC_URL ?? addressOf(settings.HOST, settings.GATEWAY_PORT),
      },
      messageIdHost: settings.MAIL_FROM.slice(settings.MAIL_FROM.lastIndexOf('@') + 1),
    },
    // A buyer who is an address has his mail there; the others are of the demonstration.
    addressOf: (buyer) => (buyer.includes('@') ? buyer : `${buyer}@buyers.example`),
  })
  return { desk, delivery }
}

/** The system that buyers are taken over from, where there is one. */
async function legacyOf(context: ServiceContext) {
  const { settings, secrets } = context
  if (settings.LEADS_LEGACY === 'off') return {}
  const { legacyOverHttp } = await import('@millrace-app/leads')
  const { peerClient } = await import('../peers.ts')
  const client = peerClient(context, 'legacy-leads', { token: secrets.SERVICE_TOKEN, timeoutMs: 8_000 })
  return {
    legacy: legacyOverHttp(client),
    ...(settings.LEADS_SHADOW === 'on'
      ? { initially: 'none' as const, compareEveryMs: 60_000 }
      : { initially: 'all' as const }),
  }
}
