import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'

/** Who listens on a TCP port of this machine. */
export interface PortHolder {
  readonly pid: number
  readonly command: string
}

/** Finds the process that listens on `port`; undefined when the system does not tell (another user's, no /proc). */
export function portHolder(port: number): PortHolder | undefined {
  const sockets = ['tcp', 'tcp6'].flatMap((table) => listeningSockets(`/proc/net/${table}`, port))
  if (sockets.length === 0) return undefined
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!openFiles(pid).some((file) => sockets.includes(file))) continue
    return { pid: Number(pid), command: commandOf(pid) }
  }
  return undefined
}

/** `socket:[inode]` of each socket that listens (state 0A) on the port. */
function listeningSockets(table: string, port: number): string[] {
  return readOr(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === '0A' && parseInt(local?.split(':')[1] ?? '', 16) === port)
    .map((fields) => `socket:[${fields[9]}]`)
}

function openFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`))
  } catch {
    // Gone meanwhile, or of another user.
    return []
  }
}

/** Its program without the arguments: those may hold secrets. */
function commandOf(pid: string): string {
  try {
    return path.basename(readlinkSync(`/proc/${pid}/exe`))
  } catch {
    // Of another user: what the kernel tells everybody.
    return readOr(`/proc/${pid}/comm`).trim()
  }
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
