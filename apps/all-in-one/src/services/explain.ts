import type { KitEnv } from '@millrace/hono'
import type { Hono } from 'hono'
import { serviceGroups, serviceTopics } from '../landscape.ts'
import type { RunningService, ServiceContext } from '../service-factory.ts'

/** What there is for whoever asks why. */
export const explainAddresses = [
  {
    path: '/explain',
    shows: 'what became of a request, an event or a key (asks for CONSOLE_TOKEN or CONSOLE_VIEWER_TOKEN)',
  },
  {
    path: '/explain/dead-letters',
    shows: 'events that could not be processed (asks for CONSOLE_TOKEN or CONSOLE_VIEWER_TOKEN)',
  },
]

/** Mounts the stories on the operations listener, and keeps the index that they are found by. */
export async function mountExplain(app: Hono<KitEnv>, context: ServiceContext): Promise<RunningService> {
  const { secrets, kit } = context
  const { createExplainApi } = await import('@millrace-app/console')
  const { Explainer, StoryFollower } = await import('@millrace/processor')
  const { mailedTypes } = await import('@millrace-app/mail')
  const logger = kit.logger.child({ service: 'explain' })
  const [log, store, stories] = await Promise.all([kit.log(), kit.groups(), kit.stories()])
  const { index } = stories
  const mailed = new Set<string>(mailedTypes)
  const groups = serviceGroups.map((one) => (one.group === 'mail' ? { ...one, types: mailed } : one))
  const follower = new StoryFollower({
    ...{ topics: serviceTopics, log, index },
    onTrouble: (error) => logger.warn('The index of stories has trouble', { err: error }),
  })
  follower.start()
  // What is not in the index yet is in no story, and nothing else depends on it.
  kit.health.add({ name: 'explain', critical: false, check: () => follower.health() })
  app.route(
    '/',
    createExplainApi({
      explainer: new Explainer({ log, store, stories, index, groups }),
      topics: serviceTopics.map(({ name }) => name),
      dead: { store, groups: serviceGroups },
      tokens: { operator: [secrets.CONSOLE_TOKEN], viewer: [secrets.CONSOLE_VIEWER_TOKEN] },
    }),
  )
  return { stop: () => follower.stop() }
}
