import type * as Campaign from '../campaign.ts'
import type * as MemoryServer from '../memory-server.ts'
import type { SimulatedServer } from '../simulated-server.ts'
import { loadPlanted } from './load-planted.ts'
import type { PlantedBug } from './planted-bugs.ts'

/** A campaign with a bug in everything that it plays, in memory. */
export interface PlantedCampaign extends Pick<typeof Campaign, 'playSeed' | 'shortestOf'> {
  /** Makes a fresh server, with the bug as well. */
  open(): Promise<SimulatedServer>
}

export async function plantedCampaign(bug: PlantedBug): Promise<PlantedCampaign> {
  const { playSeed, shortestOf } = await loadPlanted<typeof Campaign>(
    new URL('../campaign.ts', import.meta.url),
    bug,
  )
  const { createMemoryServer } = await loadPlanted<typeof MemoryServer>(
    new URL('../memory-server.ts', import.meta.url),
    bug,
  )
  return { playSeed, shortestOf, open: async () => createMemoryServer() }
}
