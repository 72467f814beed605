import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StartRefused } from './start-refused.ts'

/** What a running system notes down in its home (`running.json`, mode 0600: the URLs hold passwords). */
export interface RunningNote {
  readonly pid: number
  readonly startedAt: string
  /** The pids of the service processes. */
  readonly services: readonly number[]
  readonly redisUrl?: string
  readonly databaseUrl?: string
}

/** The directory with everything of one private system, held by one supervisor at a time. */
export class Home {
  readonly directory: string
  /** What the run before noted, if it did not end cleanly. */
  readonly interrupted: RunningNote | undefined
  readonly #lock: DatabaseSync

  /**
   * Takes the home, and makes it when it is not there.
   *
   * @throws {StartRefused} when it is taken, or not ours to write in
   */
  constructor(directory: string) {
    this.directory = directory
    makeDirectory(directory)
    this.#lock = takeLock(directory)
    this.interrupted = readJson<RunningNote>(this.path('running.json'))
  }

  path(...names: string[]): string {
    return path.join(this.directory, ...names)
  }

  note(note: RunningNote): void {
    this.writePrivate('running.json', note)
  }

  readPrivate<T>(name: string): T | undefined {
    return readJson<T>(this.path(name))
  }

  /** Writes JSON that only we can read, in one step. */
  writePrivate(name: string, content: object): void {
    const file = this.path(name)
    writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }

  /** Frees the home after a clean end. */
  release(): void {
    rmSync(this.path('running.json'), { force: true })
    this.#lock.close()
  }
}

function makeDirectory(directory: string): void {
  try {
    // Others may pass through: root hands PostgreSQL's data below it to another user. What is private is 0600 or 0700.
    mkdirSync(directory, { recursive: true, mode: 0o711 })
  } catch (error) {
    throw new StartRefused(`MILLRACE_HOME: ${directory} cannot be made (${reasonOf(error)}).`)
  }
  const { uid } = statSync(directory)
  const we = process.geteuid?.() ?? uid
  if (we !== 0 && uid !== we)
    throw new StartRefused(
      `MILLRACE_HOME: ${directory} belongs to another user (uid ${uid}). Start as that user, set MILLRACE_HOME to ` +
        `another directory, or give it over: sudo chown -R "$USER" ${JSON.stringify(directory)}`,
    )
}

/**
 * Node has no file lock of its own, but SQLite has: the kernel frees it however its holder ends, so there is nothing
 * stale to be judged, also when two containers share the directory (a pid in a file would mean nothing there).
 */
function takeLock(directory: string): DatabaseSync {
  const file = path.join(directory, 'lock')
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(file, { timeout: 0 })
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    const reason = reasonOf(error)
    if (!reason.includes('locked'))
      throw new StartRefused(`MILLRACE_HOME: ${file} cannot be locked (${reason}).`)
    const holder = readJson<RunningNote>(path.join(directory, 'running.json'))
    const who = holder === undefined ? '' : ` (process ${holder.pid}, since ${holder.startedAt})`
    throw new StartRefused(
      `Millrace is already running on ${directory}${who}. Stop it, or set MILLRACE_HOME to another directory.`,
    )
  }
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new StartRefused(`${file} cannot be read (${reasonOf(error)}).`)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
