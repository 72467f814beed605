import { Seeded } from '../seeded.ts'
import { Story, Violation } from '../story.ts'
import { LogScheduler } from './log-scheduler.ts'
import type { LogServer } from './log-server.ts'
import { LogWorld } from './log-world.ts'

/** How a simulation of a log ended. */
export interface SimulatedLog {
  readonly violation: Violation | undefined
  readonly story: Story
  /** How often units and batches came to which end. */
  readonly ends: ReadonlyMap<string, number>
}

/**
 * Plays processes that append to one log: they are killed, lose questions and answers, and ask again, with units,
 * claims and batches of channels. After each append the guarantees 1 to 4 are checked.
 *
 * @param server A fresh one: empty.
 */
export async function simulateLog(seed: number, server: LogServer): Promise<SimulatedLog> {
  const random = new Seeded(seed)
  const story = new Story()
  const world = new LogWorld(server, random, story)
  let violation: Violation | undefined
  try {
    await new LogScheduler(world, random.between(150, 400)).play()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    violation = error
  }
  return { violation, story, ends: world.ends }
}
