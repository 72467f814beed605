import type * as Campaign from '../campaign.ts'
import type * as MemoryServer from '../memory-server.ts'
import { loadPlanted } from './load-planted.ts'
import type { PlantedBug } from './planted-bugs.ts'

/** A campaign with a bug in everything that it plays, in memory. */
export interface PlantedCampaign extends Pick<typeof Campaign, 'playSeed' | 'shortestOf'> {
  /** With the bug as well. */
  readonly servers: Campaign.Servers
}

export async function plantedCampaign(bug: PlantedBug): Promise<PlantedCampaign> {
  const { playSeed, shortestOf } = await loadPlanted<typeof Campaign>(
    new URL('../campaign.ts', import.meta.url),
    bug,
  )
  const { memoryServers } = await loadPlanted<typeof MemoryServer>(
    new URL('../memory-server.ts', import.meta.url),
    bug,
  )
  return { playSeed, shortestOf, servers: memoryServers }
}
