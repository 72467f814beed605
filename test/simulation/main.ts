import { parseArgs } from 'node:util'
import { type Cast, casts, playSeed, type Servers, shortestOf } from './campaign.ts'
import { memoryServers } from './memory-server.ts'
import { planted, type PlantedBug } from './planted/planted-bugs.ts'
import { plantedCampaign } from './planted/planted-campaign.ts'
import { openRedis } from './redis-server.ts'

const usage = `npm run simulate -- [--seeds N] [--seed S] [--redis] [--story] [--log | --port | --replay | --cluster] [--plant NAME]
  --seeds    how many; default 1 with --seed, else 1000
  --seed     the first; default 1
  --redis    on a private Redis with the real scripts, beside the memory that it must agree with
  --story    prints what happens
  --log      processes that append alone; --port: models of members at the transaction port alone;
             --replay: those, and others who replay their group; --cluster: whole clusters of engines alone
  --plant    with a bug: ${Object.keys(planted).join(', ')}`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    redis: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    port: { type: 'boolean', default: false },
    replay: { type: 'boolean', default: false },
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
    await run({ open: () => redis.simulation.fresh(), openLog: () => redis.logs.fresh() })
  } finally {
    await redis.close()
  }
} else {
  await run(memoryServers)
}

async function run(servers: Servers): Promise<void> {
  const named = casts.filter((cast) => values[cast])
  for (const cast of named.length > 0 ? named : casts) if (!(await campaign(cast, servers))) return
}

/** Plays the seeds; answers whether no promise was broken. */
async function campaign(cast: Cast, sound: Servers): Promise<boolean> {
  const planting = bug === undefined ? undefined : await plantedCampaign(bug)
  const play = planting?.playSeed ?? playSeed
  const servers = planting?.servers ?? sound
  const began = performance.now()
  const ends = new Map<string, number>()
  for (let seed = first; seed < first + count; seed++) {
    const { violation, story, ends: came } = await play(cast, seed, servers)
    for (const [end, times] of came) ends.set(end, (ends.get(end) ?? 0) + times)
    if (values.story) console.log(story.lines.join('\n'))
    if (!violation) continue
    const short = await (planting?.shortestOf ?? shortestOf)(cast, seed, servers)
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
  // Guarantee 6 is about writes that are seen rejected, not about writes that are never sent.
  const rejected = cast === 'log' ? 'batch append.channel-fenced' : 'commit fenced'
  if (count >= 100 && (ends.get(rejected) ?? 0) === 0) {
    console.log('  No stale write was seen rejected: these seeds prove nothing of it')
    process.exitCode = 1
  }
  return true
}
