import { planOf } from './cluster/plan.ts'
import { play } from './cluster/play.ts'
import { shortest } from './cluster/shortest.ts'
import { simulate } from './port/simulate.ts'
import type { SimulatedServer } from './simulated-server.ts'
import type { Story, Violation } from './story.ts'

/** What is simulated: models of members at the transaction port, or whole clusters of engines. */
export type Cast = 'port' | 'cluster'

/** How one seed ended. */
export interface SeedResult {
  readonly violation: Violation | undefined
  readonly story: Story
  /** How often commits, renewals and confirmations came to which end. */
  readonly ends: ReadonlyMap<string, number>
}

/** @param server A fresh one: empty. */
export async function playSeed(cast: Cast, seed: number, server: SimulatedServer): Promise<SeedResult> {
  return cast === 'port' ? simulate(seed, server) : play(planOf(seed), server)
}

/** The shortest story of a violation that is found for a seed. @param open Makes a fresh server. */
export async function shortestOf(
  cast: Cast,
  seed: number,
  open: () => Promise<SimulatedServer>,
): Promise<SeedResult> {
  return cast === 'port' ? simulate(seed, await open()) : shortest(planOf(seed), open)
}
