import type { Surroundings } from './program.ts'
import { exitCodes } from './exit-codes.ts'

/** One press of Ctrl-C comes twice: from the terminal, and from the program that has started this one. */
const samePressMs = 500

/**
 * This process as a command line sees it. Its `signal` is aborted by SIGINT and SIGTERM; a second one ends the process
 * at once. A reader that has seen enough (`millrace … | head`) ends it, too, and is no error.
 */
export function processSurroundings(): Surroundings {
  const { env, stdin, stdout, stderr } = process
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok)
    throw error
  })
  // What is told beside the data may go unread: the command goes on, and its exit code says how it ended.
  stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return { env, in: stdin, out: stdout, err: stderr, signal: stopSignal() }
}

function stopSignal(): AbortSignal {
  const abort = new AbortController()
  let lastMs = Number.NEGATIVE_INFINITY
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      const nowMs = performance.now()
      if (nowMs - lastMs < samePressMs) return
      lastMs = nowMs
      if (abort.signal.aborted) process.exit(exitCodes.interrupted)
      abort.abort()
    })
  return abort.signal
}
