import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerHome } from './keeper-messages.ts'

/**
 * Finds servers of an earlier run whose keeper was killed.
 *
 * A process is ours when it works in a directory that only our server works in and has the server's name. A pid
 * file would not do: after a crash its number may belong to a stranger.
 */
function findLeftovers(directory: string, processNames: readonly string[]): number[] {
  let home: string
  try {
    home = realpathSync(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
  return runningPids().filter((pid) => {
    const found = look(pid)
    return found !== undefined && found.cwd === home && processNames.includes(found.name)
  })
}

/**
 * Clears a server's directory of an earlier run: asks its processes with `signal`, kills them after `timeoutMs`, and
 * removes its pid file. PostgreSQL would take that file for a running server when its pid is held by a stranger, or
 * by a zombie that nobody reaps (the first process of many a container does not). Answers the pids it found.
 */
export async function clearLeftovers(
  home: ServerHome,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<number[]> {
  const pids = await stopLeftovers(home, signal, timeoutMs)
  if (home.pidFile !== undefined && existsSync('/proc/self')) {
    rmSync(path.join(home.directory, home.pidFile), { force: true })
  }
  return pids
}

async function stopLeftovers(home: ServerHome, signal: NodeJS.Signals, timeoutMs: number): Promise<number[]> {
  const found = findLeftovers(home.directory, home.processNames)
  if (found.length === 0) return found
  // Only the parents are asked: PostgreSQL's own children take the same signals to mean something else.
  for (const pid of found) if (!found.includes(look(pid)?.parent ?? 0)) send(pid, signal)
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const alive = findLeftovers(home.directory, home.processNames)
    if (alive.length === 0) return found
    if (Date.now() > deadline) for (const pid of alive) send(pid, 'SIGKILL')
    await delay(20)
  }
}

function look(pid: number): { cwd: string; name: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie holds nothing any more.
    if (state === 'Z') return undefined
    return { cwd: readlinkSync(`/proc/${pid}/cwd`), name, parent: Number(parent) }
  } catch {
    // Gone meanwhile, or of another user and so not ours to judge.
    return undefined
  }
}

function runningPids(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  } catch (error) {
    // Systems without /proc: nothing can be recognised, so nothing is touched.
    if (isMissing(error)) return []
    throw error
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
