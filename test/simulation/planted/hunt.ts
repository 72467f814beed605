import { planted, type PlantedBug } from './planted-bugs.ts'
import { plantedCampaign } from './planted-campaign.ts'

// Says for each planted bug the first seed that is red, as JSON: {"<bug>": {"seed": n, "promise": "…"} | null}.
// A process of its own, because sources can only be changed on their way into a bare Node.

const mostSeeds = Number(process.argv[2] ?? 300)

const found: Record<string, { seed: number; message: string } | null> = {}
for (const bug of Object.keys(planted) as PlantedBug[]) found[bug] = await firstRed(bug)
console.log(JSON.stringify(found))

async function firstRed(bug: PlantedBug): Promise<{ seed: number; message: string } | null> {
  const { playSeed, servers } = await plantedCampaign(bug)
  for (let seed = 1; seed <= mostSeeds; seed++) {
    const { violation } = await playSeed('cluster', seed, servers)
    if (violation) return { seed, message: violation.message }
  }
  return null
}
