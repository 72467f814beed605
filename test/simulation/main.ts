import { parseArgs } from 'node:util'
import { type Cast, playSeed, shortestOf } from './campaign.ts'
import { createMemoryServer } from './memory-server.ts'
import { planted, type PlantedBug } from './planted/planted-bugs.ts'
import { plantedCampaign } from './planted/planted-campaign.ts'
import { openRedis } from './redis-server.ts'
import type { SimulatedServer } from './simulated-server.ts'

const usage = `npm run simulate -- [--seeds N] [--seed S] [--redis] [--story] [--port | --cluster] [--plant NAME]
  --seeds    how many; default 1 with --seed, else 1000
  --seed     the first; default 1
  --redis    on a private Redis with the real scripts, beside the memory that it must agree with
  --story    prints what happens
  --port     models of members at the transaction port alone; --cluster: whole clusters of engines alone
  --plant    with a bug: ${Object.keys(planted).join(', ')}`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    redis: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    port: { type: 'boolean', default: false },
    cluster: { type: 'boolean', default: false },
    plant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const first = Number(values.seed ?? 1)
const count = Number(values.seeds ?? (values.seed === undefined ? 1_000 : 1))
const whole = Number.isInteger(first) && Number.isInteger(count) && count >= 1
const bug = Object.keys(planted).find((name) => name === values.plant) as PlantedBug | undefined

if (values.help) console.log(usage)
else if (!whole || (values.plant !== undefined && bug === undefined)) {
  console.error(usage)
  process.exitCode = 2
} else if (values.redis) {
  const redis = await openRedis()
  try {
    await run(() => redis.simulation.fresh())
  } finally {
    await redis.close()
  }
} else {
  await run(async () => createMemoryServer())
}

async function run(open: () => Promise<SimulatedServer>): Promise<void> {
  const casts = (['port', 'cluster'] as const).filter(
    (cast) => values[cast] || (!values.port && !values.cluster),
  )
  for (const cast of casts) if (!(await campaign(cast, open))) return
}

/** Plays the seeds; answers whether no promise was broken. */
async function campaign(cast: Cast, openSound: () => Promise<SimulatedServer>): Promise<boolean> {
  const planting = bug === undefined ? undefined : await plantedCampaign(bug)
  const play = planting?.playSeed ?? playSeed
  const open = planting?.open ?? openSound
  const began = performance.now()
  const ends = new Map<string, number>()
  for (let seed = first; seed < first + count; seed++) {
    const { violation, story, ends: came } = await play(cast, seed, await open())
    for (const [end, times] of came) ends.set(end, (ends.get(end) ?? 0) + times)
    if (values.story) console.log(story.lines.join('\n'))
    if (!violation) continue
    const short = await (planting?.shortestOf ?? shortestOf)(cast, seed, open)
    if (!values.story) console.log(short.story.lines.slice(-80).join('\n'))
    console.log(`\nSeed ${seed}: ${(short.violation ?? violation).message}`)
    const how = [values.redis ? ' --redis' : '', bug === undefined ? '' : ` --plant '${bug}'`].join('')
    console.log(`Again, all of it: npm run simulate -- --${cast} --seed ${seed}${how} --story`)
    process.exitCode = 1
    return false
  }
  const seconds = (performance.now() - began) / 1_000
  const aMinute = Math.round((count / seconds) * 60)
  console.log(
    `${cast}: ${count} seeds from ${first} without a violation in ${seconds.toFixed(1)} s, ${aMinute} a minute`,
  )
  console.log(`  ${[...ends].map(([end, times]) => `${end}: ${times}`).join(', ')}`)
  // Guarantee 6 is about commits that are seen rejected, not about commits that are never sent.
  if (count >= 100 && (ends.get('commit fenced') ?? 0) === 0) {
    console.log('  No stale commit was seen rejected: these seeds prove nothing of it')
    process.exitCode = 1
  }
  return true
}
