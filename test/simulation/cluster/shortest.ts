import type { SimulatedServer } from '../simulated-server.ts'
import type { Item, Plan } from './plan.ts'
import { play, type Played } from './play.ts'

/** How often a story is played again at most to shorten it. */
const mostTries = 400

/**
 * Plays a plan that ends in a violation again and again with less of it: without half of what happens, without a
 * quarter, … without one thing alone, as long as the same promise is broken. Answers the shortest story found.
 *
 * See Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input (delta debugging).
 */
export async function shortest(plan: Plan, open: () => Promise<SimulatedServer>): Promise<Played> {
  let best = await play(plan, await open())
  const promise = best.violation?.promise
  if (promise === undefined) return best
  let tries = 0
  for (let part = Math.ceil(plan.items.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let from = 0; from < best.plan.items.length && tries < mostTries;) {
      tries += 1
      const { items } = best.plan
      const fewer: readonly Item[] = [...items.slice(0, from), ...items.slice(from + part)]
      const played = await play({ ...plan, items: fewer }, await open())
      if (played.violation?.promise === promise) best = played
      else from += part
    }
  }
  return best
}
