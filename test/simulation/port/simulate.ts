import { Scheduler } from './scheduler.ts'
import { Seeded } from '../seeded.ts'
import { Story, Violation } from '../story.ts'
import type { SimulatedServer } from '../simulated-server.ts'
import { World } from './world.ts'

/** How a simulation ended. */
export interface Simulated {
  readonly seed: number
  readonly violation: Violation | undefined
  /** What has happened, to the violation or to the end. */
  readonly story: Story
  /** How often commits and confirmations came to which end. */
  readonly ends: ReadonlyMap<string, number>
}

/**
 * Plays members of one group against a store: they are killed, sleep past their leases, lose questions and answers,
 * and ask again. What happens follows from the seed alone. After every step the guarantees 4, 5, 6 and 8 are checked.
 *
 * @param server A fresh one: empty.
 * @param replays Whether somebody replays the group meanwhile, and puts what was built into its place.
 */
export async function simulate(seed: number, server: SimulatedServer, replays = false): Promise<Simulated> {
  const random = new Seeded(seed)
  const story = new Story()
  const world = new World(server, random, story, !replays && seed % 10 === 0)
  const fate = {
    members: random.between(1, 3),
    events: random.between(15, 50),
    steps: random.between(300, 900),
    replayers: replays ? random.between(1, 2) : 0,
  }
  let violation: Violation | undefined
  try {
    await new Scheduler(world, fate).play()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    violation = error
  }
  return { seed, violation, story, ends: world.judge.ends }
}
