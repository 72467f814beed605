import { parseArgs } from 'node:util'
import { runInitialiser } from './initialiser.ts'
import { runLeadsReplay } from './leads-replay.ts'
import { megabytes, runSoak, type SoakKind } from './soak.ts'

/** What the heap may grow by after the warm-up. */
const mostGrowth = 0.1
const usage = 'npm run soak -- <backlog|keys|leads|initialiser> [--events N]'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { events: { type: 'string' }, help: { type: 'boolean', default: false } },
})
const [kind] = positionals
const events = Number(values.events ?? (kind === 'initialiser' ? 100_000 : 1_000_000))

const kinds = ['backlog', 'keys', 'leads', 'initialiser'] as const
const asked = kinds.find((name) => name === kind)

if (values.help) console.log(usage)
else if (asked === undefined || !Number.isInteger(events) || events < 100) {
  console.error(usage)
  process.exitCode = 2
} else if (asked === 'leads') await replayLeads()
else if (asked === 'initialiser') await initialise()
else await soak(asked)

async function soak(what: SoakKind): Promise<void> {
  const report = await runSoak(what, events, (line) => console.error(line))
  const { seconds, atOnce, growth, marks } = report
  const heaps = marks.map(({ heap }) => megabytes(heap))
  console.log(
    `${what}: ${events} events in ${seconds.toFixed(0)} s, at most ${atOnce[0]} of ${atOnce[1]} at once`,
  )
  console.log(`heap after each twenty-fifth: ${heaps.join(', ')}`)
  console.log(`grown by ${(growth * 100).toFixed(1)} % after the warm-up; ${mostGrowth * 100} % are allowed`)
  process.exitCode = growth <= mostGrowth && atOnce[0] <= atOnce[1] ? 0 : 1
}

async function replayLeads(): Promise<void> {
  const report = await runLeadsReplay(events, (line) => console.error(line))
  const { liveSeconds, replaySeconds, done, withheld, different, switched } = report
  console.log(
    `${report.events} events in ${liveSeconds.toFixed(0)} s, replayed in ${replaySeconds.toFixed(0)} s`,
  )
  console.log(`done: ${done[0]}; after the replay: ${done[1]}; ${withheld} effects withheld`)
  console.log(`${different} states differ, ${switched ? 'switched in' : 'not switched in'}`)
  process.exitCode = done[0] === done[1] && different === 0 && switched ? 0 : 1
}

async function initialise(): Promise<void> {
  const { orders, fillings, verdicts } = await runInitialiser(events, (line) => console.error(line))
  for (const { rows, toldSeconds, settledSeconds, load } of fillings)
    console.log(
      `${orders} orders, ${rows} rows: on the log after ${toldSeconds} s, all verdicts after ${settledSeconds} s, load ${load.toFixed(1)}`,
    )
  console.log(`verdicts: ${verdicts.join(', then ')}`)
  process.exitCode = verdicts[0] === verdicts[1] ? 0 : 1
}
