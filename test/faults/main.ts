import { parseArgs } from 'node:util'
import { faultsOf, historyText } from './history-report.ts'
import { runUniqHistory } from './uniq-history.ts'

/** A run answers its report and whether nothing was wrong. */
type Run = (
  operations: number | undefined,
  seed: number,
  say: (line: string) => void,
) => Promise<readonly [text: string, good: boolean]>

const runs: Readonly<Record<string, Run>> = {
  'uniq-history': async (operations = 100_000, seed, onProgress) => {
    const report = await runUniqHistory({ operations, seed, onProgress })
    return [historyText(report), faultsOf(report).length === 0]
  },
}
const usage = `npm run faults -- <${Object.keys(runs).join('|')}> [--operations N] [--seed S]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { operations: { type: 'string' }, seed: { type: 'string' } },
})
const run = runs[positionals[0] ?? '']
const operations = values.operations === undefined ? undefined : Number(values.operations)
const seed = Number(values.seed ?? Date.now() % 1_000_000)

if (
  !run ||
  positionals.length > 1 ||
  !Number.isInteger(seed) ||
  !(operations === undefined || operations >= 1)
) {
  console.error(usage)
  process.exitCode = 2
} else {
  console.error(`seed ${seed}`)
  const [text, good] = await run(operations, seed, (line) => console.error(line))
  console.log(text)
  process.exitCode = good ? 0 : 1
}
