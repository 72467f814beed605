import { parseArgs } from 'node:util'
import { runCrashPoints } from '../crash-points/run-points.ts'
import { changeFaults, changeText } from './change-report.ts'
import { runChangeStream } from './change-stream.ts'
import { faultsOf, historyText } from './history-report.ts'
import { clickFaults, clickText } from './click-report.ts'
import { runLeads } from './leads.ts'
import { runClicks } from './processor.ts'
import { runRestocking } from './restocking.ts'
import { restockingFaults, restockingText } from './restocking-report.ts'
import { runSignUp } from './sign-up.ts'
import { signUpText } from './sign-up-report.ts'
import { runUniqHistory } from './uniq-history.ts'

/** A run answers its report and whether nothing was wrong. `size` is how much it does; undefined: all of it. */
type Run = (
  size: number | undefined,
  seed: number,
  say: (line: string) => void,
) => Promise<readonly [text: string, good: boolean]>

const runs: Readonly<Record<string, Run>> = {
  'uniq-history': async (operations = 100_000, seed, onProgress) => {
    const report = await runUniqHistory({ operations, seed, onProgress })
    return [historyText(report), faultsOf(report).length === 0]
  },
  'sign-up': async (signUps = 2_000, seed, onProgress) => {
    const report = await runSignUp({ signUps, seed, onProgress })
    return [signUpText(report), report.wrong.length === 0]
  },
  processor: async (clicks = 300_000, seed, onProgress) => {
    const report = await runClicks({
      clicks,
      seed,
      onProgress,
      ...(clicks < 100_000 ? { leaseMs: 1_500, takeoverMs: 45_000 } : {}),
    })
    return [clickText(report), clickFaults(report).length === 0]
  },
  leads: async (buyers = 300, seed, onProgress) => {
    const report = await runLeads({ seed, buyers, kills: Math.max(3, Math.round(buyers / 15)), onProgress })
    const { events, kills, seconds, wrong } = report
    const verdict = wrong.length === 0 ? 'everything is as the fold of the facts says' : wrong.join('\n')
    const what = `${events} events of ${buyers} buyers, ${kills} members killed, ${seconds.toFixed(0)} s`
    return [`${what}: ${verdict}`, wrong.length === 0]
  },
  'change-stream': async (changes = 50_000, seed, onProgress) => {
    const kills = Math.max(5, Math.round(changes / 500))
    const report = await runChangeStream({ seed, changes, kills, acknowledgesFirst, onProgress })
    return [changeText(report), changeFaults(report).length === 0]
  },
  restocking: async (changes = 50_000, seed, onProgress) => {
    const kills = values.kills === undefined ? Math.max(6, Math.round(changes / 500)) : Number(values.kills)
    const report = await runRestocking({ seed, changes, kills, ...(bug ? { bug } : {}), onProgress })
    return [restockingText(report), restockingFaults(report).length === 0]
  },
  'crash-points': async (rounds = 3, _seed, onProgress) => {
    const reports = await runCrashPoints({ rounds, onProgress })
    const bad = reports.filter(({ faults }) => faults.length > 0)
    return [`${reports.length} crash points, ${bad.length} with faults`, bad.length === 0]
  },
}
const usage = `npm run faults -- <crash-points [--rounds N]|uniq-history [--operations N]|sign-up [--sign-ups N]|processor [--events N]|leads [--buyers N]|change-stream [--changes N] [--planted]|restocking [--changes N] [--kills N] [--bug applies-twice|forgets-marks]> [--seed S]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    operations: { type: 'string' },
    'sign-ups': { type: 'string' },
    events: { type: 'string' },
    buyers: { type: 'string' },
    changes: { type: 'string' },
    kills: { type: 'string' },
    bug: { type: 'string' },
    rounds: { type: 'string' },
    planted: { type: 'boolean', default: false },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const run = runs[positionals[0] ?? '']
const given = {
  'uniq-history': values.operations,
  'sign-up': values['sign-ups'],
  processor: values.events,
  leads: values.buyers,
  'change-stream': values.changes,
  restocking: values.changes,
  'crash-points': values.rounds,
}[positionals[0] ?? '']
/** The bug that turns the run of change streams red. */
const acknowledgesFirst = values.planted
/** A bug that turns the run of restocking red. */
const bug = (['applies-twice', 'forgets-marks'] as const).find((name) => name === values.bug)
const size = given === undefined ? undefined : Number(given)
const seed = Number(values.seed ?? Date.now() % 1_000_000)

if (values.help) console.log(usage)
else if (!run || positionals.length > 1 || !Number.isInteger(seed) || !(size === undefined || size >= 1)) {
  console.error(usage)
  process.exitCode = 2
} else {
  console.error(`seed ${seed}`)
  const [text, good] = await run(size, seed, (line) => console.error(line))
  console.log(text)
  // Everything is closed by now. Left to itself, Node 26.10 sometimes spins for ever in the clean-up of sockets that
  // were reset while they were paused.
  process.exit(good ? 0 : 1)
}
