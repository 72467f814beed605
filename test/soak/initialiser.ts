import { loadavg } from 'node:os'
import { PassThrough } from 'node:stream'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { generate, largeSize, openCentralDatabase, seeded } from '@millrace-app/purchasing'
import { run } from '../../apps/cli/src/program.ts'
import { WholeSystem } from '../support/whole-system.ts'

/** One run of the initialiser. */
interface Filling {
  readonly rows: number
  /** From the request to the last row on the log, in seconds. */
  readonly toldSeconds: number
  /** From the request to the last verdict in the view, in seconds. */
  readonly settledSeconds: number
  /** Load of the machine in the last minute, at the end. */
  readonly load: number
}

/** What filling a system twice came to. */
export interface InitialiserRun {
  readonly orders: number
  readonly fillings: readonly Filling[]
  /** Lines that have a verdict after each. */
  readonly verdicts: readonly number[]
}

/** An empty system's own filling has found nothing by then. */
const settleMs = 6_000

/** Fills a whole system with so many orders from its central database, and then once more. */
export async function runInitialiser(orders: number, say: (line: string) => void): Promise<InitialiserRun> {
  const system = await WholeSystem.start({ env: { PURCHASING_SEED: 'none' } })
  const central = await openCentralDatabase({
    url: system.databaseUrl,
    applicationName: 'millrace soak',
    onError: () => undefined,
  })
  const fillings: Filling[] = []
  const verdicts: number[] = []
  try {
    await delay(settleMs)
    const today = new Date().toISOString().slice(0, 10)
    const size = { ...largeSize, products: Math.ceil(orders / 10), orders }
    await central.write('seed', (queries) => generate(queries, { ...size, random: seeded('large'), today }))
    for (const which of ['first', 'second']) {
      fillings.push(await fill(system))
      verdicts.push(await verdictsIn(central))
      say(`${which}: ${JSON.stringify(fillings.at(-1))}`)
    }
    return { orders, fillings, verdicts }
  } finally {
    await central.close()
    await system.stop()
  }
}

async function fill(system: WholeSystem): Promise<Filling> {
  const out = new PassThrough()
  const said = readAll(out)
  const err = new PassThrough().resume()
  const line = ['restocking', 'initialise', '--wait', '--json', '--url', system.urlOf('RESTOCKING')]
  const env = { MILLRACE_HOME: system.home }
  const code = await run(line, { env, in: process.stdin, out, err, signal: new AbortController().signal })
  out.end()
  if (code !== 0) throw new Error(`It ended with ${code}:\n${system.output}`)
  return { ...(JSON.parse(await said) as Omit<Filling, 'load'>), load: loadavg()[0] ?? 0 }
}

async function verdictsIn(central: Awaited<ReturnType<typeof openCentralDatabase>>): Promise<number> {
  const sql = 'SELECT count(*)::integer AS count FROM restocking_view.verdict'
  const [row] = await central.read((queries) => queries.rows<{ count: number }>(sql))
  return row?.count ?? 0
}
