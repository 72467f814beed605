import type { EffectBoard } from '@millrace/bullmq'
import type { MailDelivery } from '@millrace/smtp'
import type { ServiceContext } from './service-factory.ts'

/** What the way to the mail provider is called among the effects. */
export const mailProvider = 'provider'

/** Shows on the dashboard while the mail provider is away. The service that asks closes it at its end. */
export async function openProviderBoard(
  { kit, redisUrl, member }: ServiceContext,
  delivery: MailDelivery,
): Promise<EffectBoard> {
  const { openEffectBoard } = await import('@millrace/bullmq')
  const { serverOptions } = await import('@millrace/redis')
  const logger = kit.logger.child({ service: 'mail' })
  const board = openEffectBoard({
    ...{ redis: serverOptions(redisUrl), group: 'mail', effects: [mailProvider], member },
    onTrouble: (error) => logger.warn('The state of the mail provider cannot be shown', { err: error }),
  })
  delivery.onStateChange(() => {
    const { state, since, probeAt, waiting, lastFailure } = delivery.status()
    board.show({
      ...{ name: mailProvider, state, sinceMs: since, waiting },
      ...(probeAt === undefined ? {} : { probeAtMs: probeAt }),
      ...(lastFailure === undefined ? {} : { reason: lastFailure.reason }),
    })
  })
  return board
}
