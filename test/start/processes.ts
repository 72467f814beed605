import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export interface FoundProcess {
  readonly pid: number
  readonly command: string
}

/** Every process that works in or below one of these directories, or has one on its command line. */
export function processesIn(directories: readonly string[]): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), cwd: cwdOf(name), command: commandOf(name) }))
    .filter(({ cwd, command }) =>
      directories.some((directory) => `${cwd}/`.startsWith(`${directory}/`) || command.includes(directory)),
    )
}

/** Time that these processes, and those that they have started and outlived, have spent on a processor, in ms. */
export function processorMs(processes: readonly FoundProcess[]): number {
  return processes.reduce((sum, { pid }) => {
    const stat = whileItLives(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
    // After the name, which may hold anything: the fields from the third one on, times in hundredths of a second.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const own = fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0)
    return sum + own * 10
  }, 0)
}

/** Asks again until `wrong` answers undefined; fails with its last answer. */
export async function eventually(
  what: string,
  wrong: () => string | undefined | Promise<string | undefined>,
  timeoutMs = 120_000,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; ; await delay(25)) {
    const answer = await wrong()
    if (answer === undefined) return
    if (Date.now() > deadline) throw new Error(`Not in ${timeoutMs} ms: ${what}\n${answer}`)
  }
}

function commandOf(pid: string): string {
  return whileItLives(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
}

function cwdOf(pid: string): string {
  return whileItLives(() => readlinkSync(`/proc/${pid}/cwd`))
}

function whileItLives(read: () => string): string {
  try {
    return read()
  } catch {
    // It has ended meanwhile, or belongs to another user.
    return ''
  }
}
