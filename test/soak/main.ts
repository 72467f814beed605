import { parseArgs } from 'node:util'
import { megabytes, runSoak, type SoakKind } from './soak.ts'

/** What the heap may grow by after the warm-up. */
const mostGrowth = 0.1
const usage = 'npm run soak -- <backlog|keys> [--events N]'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { events: { type: 'string', default: '1000000' } },
})
const [kind] = positionals
const events = Number(values.events)

if ((kind !== 'backlog' && kind !== 'keys') || !Number.isInteger(events) || events < 100) {
  console.error(usage)
  process.exitCode = 2
} else await soak(kind)

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
