import type { SimulatedServer } from '../simulated-server.ts'
import { Story, Violation } from '../story.ts'
import { Cluster } from './cluster.ts'
import type { Plan } from './plan.ts'
import { Stage } from './stage.ts'

/** How a story of a cluster ended. */
export interface Played {
  readonly plan: Plan
  readonly violation: Violation | undefined
  readonly story: Story
  /** How often commits, renewals and confirmations came to which end. */
  readonly ends: ReadonlyMap<string, number>
  readonly steps: number
}

/**
 * Plays real engines of one group against a store, on one wire and one clock: what happens follows from the plan alone.
 *
 * @param server A fresh one: empty.
 */
export async function play(plan: Plan, server: SimulatedServer): Promise<Played> {
  const story = new Story()
  const cluster = new Cluster(plan, server, story)
  const stage = new Stage(cluster)
  let violation: Violation | undefined
  const crashed = (error: unknown) => {
    cluster.note(
      'guarantee 14, no process ends by itself',
      false,
      String(error instanceof Error ? error.stack : error),
    )
  }
  process.on('uncaughtException', crashed).on('unhandledRejection', crashed)
  try {
    await stage.play()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    violation = error
  } finally {
    process.off('uncaughtException', crashed).off('unhandledRejection', crashed)
  }
  const ends = new Map<string, number>()
  for (const judge of cluster.judges)
    for (const [end, times] of judge.ends) ends.set(end, (ends.get(end) ?? 0) + times)
  return { plan, violation, story, ends, steps: stage.steps }
}
