import { parseArgs } from 'node:util'
import { benchAppend } from './append.ts'
import { benchChangeStream } from './change-stream.ts'
import { benchLanes } from './lanes.ts'
import { benchParked } from './parked.ts'
import { benchProcess } from './process.ts'
import { asText, type Report } from './report.ts'
import { benchTelemetry } from './telemetry.ts'
import { benchUniq } from './uniq.ts'

type Bench = (rounds: number, say: (line: string) => void, large: boolean) => Promise<Report>

const benches: Readonly<Record<string, Bench>> = {
  append: benchAppend,
  'change-stream': benchChangeStream,
  lanes: benchLanes,
  parked: benchParked,
  process: benchProcess,
  telemetry: benchTelemetry,
  uniq: benchUniq,
}
const usage = `npm run bench -- <${Object.keys(benches).join('|')}> [--json] [--rounds N] [--large]   (rounds: default 5; large: process with a million keys)`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
})
const bench = benches[positionals[0] ?? '']
const rounds = Number(values.rounds)

if (values.help) console.log(usage)
else if (!bench || positionals.length > 1 || !(Number.isInteger(rounds) && rounds >= 1)) {
  console.error(usage)
  process.exitCode = 2
} else {
  const result = await bench(rounds, (line) => console.error(line), values.large)
  console.log(values.json ? JSON.stringify(result, null, 2) : asText(result))
  // A missed goal is a failure, so that a script notices.
  process.exitCode = result.goals.some((goal) => goal.verdict === 'missed') ? 1 : 0
}
