import { metricNames } from '@millrace/service'
import { Canary, canaryFinding, canaryGroup, canaryTopic } from './canary.ts'
import type { RunningService, ServiceContext } from './service-factory.ts'

/** So rarely, because the log keeps them: about 1 MB a day. */
const everyMs = 60_000

/** Sends canaries through the system that this process belongs to, settles them, and tells of them. */
export async function startCanary({ kit, member }: ServiceContext): Promise<RunningService> {
  const { processor, run } = await import('@millrace/processor')
  const [log, store, members] = await Promise.all([kit.log(), kit.groups(), kit.members()])
  const logger = kit.logger.child({ service: 'canary' })
  const running = await run(processor(canaryGroup, canaryTopic, { handle: () => undefined }), {
    ...{ log, store, members },
    freshName: () => member,
  })
  const canary = new Canary({ log, store })
  const send = () =>
    canary.send().catch((error: unknown) => logger.warn('A canary could not be sent', { err: error }))
  let sending = send()
  const timer = setInterval(() => {
    sending = send()
  }, everyMs)
  kit.metrics.gauge(metricNames.canaryAge, async () =>
    [...(await canary.ages())].map(([partition, ms]) => ({ labels: [String(partition)], value: ms / 1_000 })),
  )
  kit.health.add({ name: 'canary', check: async () => canaryFinding(await canary.ages(), everyMs) })
  return {
    stop: async () => {
      clearInterval(timer)
      await sending
      await running.stop()
    },
  }
}
