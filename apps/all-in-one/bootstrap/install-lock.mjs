import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Sentence } from './sentence.mjs'

const mostWaitMs = 15 * 60_000

/**
 * Holds a lock among processes of this machine. Each contender first puts down a claim (a file named for its pid and
 * start time) and then looks for others: of two, at least one sees the other, and whoever sees a living claim
 * withdraws his own and tries later. A dead owner's claim can be removed by anybody, for its name never comes again;
 * with a single lock file, a second rescuer could remove the first one's fresh lock.
 *
 * @param {string} directory
 * @param {() => void} waiting called once when another holds it
 * @returns {Promise<{ share: (pid: number) => void, release: () => void }>} `share` keeps it held until that process
 *   has ended as well, should we be killed
 */
export async function acquireLock(directory, waiting) {
  mkdirSync(directory, { recursive: true })
  const mine = nameOf(process.pid)
  const claim = path.join(directory, mine)
  const held = [claim]
  const share = (pid) => {
    held.push(path.join(directory, nameOf(pid)))
    writeFileSync(held.at(-1), '')
  }
  const release = () => {
    for (const file of held) rmSync(file, { force: true })
  }
  const deadline = Date.now() + mostWaitMs
  for (let told = false; ;) {
    writeFileSync(claim, '')
    const others = readdirSync(directory).filter((name) => name !== mine)
    const living = others.filter((name) => isAlive(name))
    for (const name of others) if (!living.includes(name)) rmSync(path.join(directory, name), { force: true })
    if (living.length === 0) return { share, release }
    rmSync(claim, { force: true })
    if (Date.now() > deadline)
      throw new Sentence(`Another start (process ${living[0]}) has been installing for too long.`)
    if (!told) waiting()
    told = true
    // Chance keeps two contenders from withdrawing in step for ever.
    await delay(50 + Math.random() * 250)
  }
}

/** @param {number} pid */
function nameOf(pid) {
  return `${pid}-${startTime(pid)}`
}

/** @param {string} name */
function isAlive(name) {
  const [pid, started] = name.split('-')
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
  }
  return startTime(Number(pid)) === started
}

/**
 * When a process started, in the kernel's ticks: tells it from a later one with the same pid.
 *
 * @param {number} pid
 * @returns {string} '0' where the system has no /proc, '' for a process that is gone
 */
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return process.platform === 'linux' ? '' : '0'
  }
}
