import { parseArgs } from 'node:util'
import { hunt } from './hunt.ts'
import { playFile, randomTestFiles } from './play-file.ts'

const usage = `npm run hunt -- [--minutes N] [--only PATH]...
Plays the random tests again and again with fresh seeds until the time is over (10 minutes unless told) or Ctrl-C.
--only: those alone whose path begins so. Ends with the seeds that were red, and then with exit code 1.`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    only: { type: 'string', multiple: true, default: [''] },
    help: { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
const files = randomTestFiles().filter((file) => values.only.some((path) => file.startsWith(path)))

if (values.help) console.log(usage)
else if (!(minutes > 0) || files.length === 0) {
  console.error(usage)
  process.exitCode = 2
} else {
  const ended = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
  const untilMs = performance.now() + minutes * 60_000
  const { played, red } = await hunt({
    files,
    play: (file, seed) => playFile(file, seed, ended.signal),
    freshSeed: () => Math.floor(Math.random() * 1_000_000_000),
    over: () => ended.signal.aborted || performance.now() > untilMs,
    say: (line) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`),
  })
  for (const { file, seed } of red) console.log(`MILLRACE_SEED=${seed} npm test -- ${file}`)
  console.log(`files played: ${played}, red: ${red.length}`)
  process.exitCode = red.length === 0 ? 0 : 1
}
