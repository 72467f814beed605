import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { watchParent } from './watch-parent.mjs'

/** One press of Ctrl-C comes twice: from the terminal and from npm, a few milliseconds apart. */
const samePressMs = 500
/** Longer than anything a start needs to stop cleanly. */
const orphanStopMs = 60_000

/**
 * Runs a program in a session of its own and hands signals on: each press once, to the program's whole group.
 * In our own session it would get every Ctrl-C from the terminal as well.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {import('node:child_process').StdioOptions} stdio
 * @param {(pid: number) => void} started
 * @returns {Promise<number>} the program's exit code, 128 + n for signal n
 */
export function runChild(command, args, env, stdio = 'inherit', started = () => undefined) {
  const child = spawn(command, args, { env, stdio, detached: true })
  if (child.pid !== undefined) started(child.pid)
  let lastSignalAt = 0
  const signalGroup = (signal) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal)
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
  const forward = (signal) => {
    const now = Date.now()
    if (now - lastSignalAt < samePressMs) return
    lastSignalAt = now
    // A terminal that is closed is an order to stop; few programs listen for it.
    signalGroup(signal === 'SIGHUP' ? 'SIGTERM' : signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  // Only npm's end is an order to stop; started from a shell that ends (nohup, a script), we stay.
  const unwatch =
    process.env.npm_lifecycle_event === undefined ? () => undefined : watchParent(process.ppid, orphaned)
  function orphaned() {
    forward('SIGTERM')
    setTimeout(() => signalGroup('SIGKILL'), orphanStopMs).unref()
  }
  return new Promise((resolve, reject) => {
    const done = (settle) => {
      unwatch()
      for (const signal of signals) process.off(signal, forward)
      settle()
    }
    child.on('error', (/** @type {Error} */ error) => done(() => reject(error)))
    child.on('exit', (code, signal) => done(() => resolve(code ?? 128 + constants.signals[signal])))
  })
}
