import { accounts } from '@millrace/accounts'
import { followed } from '../consumer-log.ts'
import type { ServiceFactory } from '../service-factory.ts'
import { mailProvider } from '../provider-board.ts'
import { addressOf } from '../welcome.ts'

/** Sends the mails that the events of the accounts ask for. */
export const mailService: ServiceFactory = {
  name: 'mail',
  summary: 'sends the mails about accounts',
  needs: ['redis'],
  ports: [{ setting: 'MAIL_PORT', whenSeparate: true }],
  start: async (context) => {
    const { settings, secrets, kit, smtpUrl, member } = context
    const { listenForOperator } = await import('../operator-app.ts')
    const listening = await listenForOperator(context, 'mail', 'MAIL_PORT')
    const { openProviderBoard } = await import('../provider-board.ts')
    const { retryClockOf } = await import('../retry-clock.ts')
    const { accountLinks, createMailService } = await import('@millrace-app/mail')
    const { createMailDelivery, createMailSender } = await import('@millrace/smtp')
    const { purposeKey } = await import('@millrace/service')
    const logger = kit.logger.child({ service: 'mail' })
    const publicUrl = settings.PUBLIC_URL ?? addressOf(settings.HOST, settings.GATEWAY_PORT)
    const from = { name: settings.MAIL_NAME, address: settings.MAIL_FROM }
    const delivery = createMailDelivery(createMailSender(smtpUrl, from))
    const board = await openProviderBoard(context, delivery)
    delivery.onStateChange((state) => {
      logger.warn(`The circuit breaker to the mail provider is ${state}`)
      kit.meters.breakerChanged('mail', mailProvider, state)
    })
    const retryClock = await retryClockOf(context, 'mail')
    const service = createMailService({
      retryClock,
      log: await kit.log(),
      groups: await kit.groups(),
      members: await kit.members(),
      freshName: () => member,
      delivery,
      mails: {
        product: { name: settings.MAIL_NAME, url: publicUrl },
        messageIdHost: settings.MAIL_FROM.slice(settings.MAIL_FROM.lastIndexOf('@') + 1),
      },
      links: accountLinks({ key: purposeKey(secrets.MILLRACE_SECRET, 'link'), publicUrl }),
      observe: followed(logger),
    })
    await service.start()
    kit.meters.watchGroup({ topic: accounts, group: 'mail', health: () => service.health().consumer })
    kit.meters.watchBreaker('mail', mailProvider, () => delivery.status().state)
    // A provider that is away is degraded: sign-up works, the mails follow. Down is a loop that makes no progress.
    kit.health.add({ name: 'mail', check: () => service.health() })
    return {
      stop: async () => {
        await service.stop()
        await retryClock.close()
        await board.close()
        await listening.stop()
      },
    }
  },
}
