import { planOf } from './cluster/plan.ts'
import { play } from './cluster/play.ts'
import { shortest } from './cluster/shortest.ts'
import type { LogServer } from './log/log-server.ts'
import { simulateLog } from './log/simulate-log.ts'
import { simulate } from './port/simulate.ts'
import type { SimulatedServer } from './simulated-server.ts'
import type { Story, Violation } from './story.ts'

/**
 * What is simulated: processes that append, models of members at the transaction port, the same with replays beside
 * them, whole clusters of engines.
 */
export const casts = ['log', 'port', 'replay', 'cluster'] as const
export type Cast = (typeof casts)[number]

/** Makes fresh servers: empty ones. */
export interface Servers {
  open(): Promise<SimulatedServer>
  openLog(): Promise<LogServer>
}

/** How one seed ended. */
export interface SeedResult {
  readonly violation: Violation | undefined
  readonly story: Story
  /** How often commits, renewals and confirmations came to which end. */
  readonly ends: ReadonlyMap<string, number>
}

export async function playSeed(cast: Cast, seed: number, servers: Servers): Promise<SeedResult> {
  switch (cast) {
    case 'log':
      return simulateLog(seed, await servers.openLog())
    case 'port':
      return simulate(seed, await servers.open())
    case 'replay':
      return simulate(seed, await servers.open(), true)
    case 'cluster':
      return play(planOf(seed), await servers.open())
  }
}

/** The shortest story of a violation that is found for a seed. */
export async function shortestOf(cast: Cast, seed: number, servers: Servers): Promise<SeedResult> {
  return cast === 'cluster' ? shortest(planOf(seed), () => servers.open()) : playSeed(cast, seed, servers)
}
