import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { ConsumerEvent } from '@millrace/processor'
import type { MemberCommand, MemberOrder, MemberWord } from './member-process.ts'
import { walks } from './walk.ts'

type NewsOf<K> = Extract<ConsumerEvent, { kind: K }>

/** A member in a process of its own, and all that it has said. */
export class MemberProcess {
  readonly name: string
  readonly news: { readonly atMs: number; readonly event: ConsumerEvent }[] = []
  readonly commits = { committed: 0, already: 0, fenced: 0 }
  readonly owned = new Set<number>()
  holding = 0
  readonly #process: ChildProcess
  readonly #exit: Promise<unknown>

  constructor(order: MemberOrder, heard: () => void) {
    this.name = order.name
    this.#process = fork(path.join(import.meta.dirname, 'member-process.ts'), [], {
      execArgv: [],
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    this.#exit = once(this.#process, 'exit')
    // A kill may come before the order has gone out.
    this.#process.on('error', () => undefined)
    this.#process.on('message', (word) => {
      this.#hear(word as MemberWord)
      heard()
    })
    this.#process.send(order, () => undefined)
  }

  /** Its news of one kind, each with its time. */
  told<K extends ConsumerEvent['kind']>(kind: K): readonly (NewsOf<K> & { readonly atMs: number })[] {
    return this.news
      .filter((one): one is { atMs: number; event: NewsOf<K> } => one.event.kind === kind)
      .map(({ atMs, event }) => ({ ...event, atMs }))
  }

  tell(command: MemberCommand): void {
    this.#process.send(command, () => undefined)
  }

  /** Lets it stop in good order. */
  async stop(): Promise<void> {
    this.tell('stop')
    await this.#exit
  }

  /** SIGKILL, also while it is stopped by a signal. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exit
    this.owned.clear()
  }

  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  goOn(): void {
    this.#process.kill('SIGCONT')
  }

  #hear(word: MemberWord): void {
    if (word.type === 'holding') this.holding += 1
    else if (word.type === 'commit') this.commits[word.result] += 1
    else {
      this.news.push(word)
      if (word.event.kind === 'leased') this.owned.add(word.event.partition)
      if (word.event.kind === 'ended') this.owned.delete(word.event.partition)
    }
  }
}

/** The members of one test. */
export class Fleet {
  readonly all: MemberProcess[] = []
  readonly #order: Omit<MemberOrder, 'name'>
  readonly #watchers = new Set<() => void>()

  constructor(order: Omit<MemberOrder, 'name'>) {
    this.#order = order
  }

  /** @param redisUrl Its way to Redis, when that is another one than all have. */
  join(redisUrl = this.#order.redisUrl): MemberProcess {
    const order = { ...this.#order, redisUrl, name: `m${this.all.length}` }
    const member = new MemberProcess(order, () => this.changed())
    this.all.push(member)
    return member
  }

  /** Something has happened. */
  changed(): void {
    for (const look of this.#watchers) look()
  }

  /** Resolves when the condition holds; it is looked at after everything that a member says. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve()
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return
        this.#watchers.delete(look)
        resolve()
      }
      this.#watchers.add(look)
    })
  }

  /** Resolves when these members share all partitions evenly. */
  shared(...members: readonly MemberProcess[]): Promise<void> {
    const least = Math.floor(walks.partitions / members.length)
    return this.until(() => {
      const shares = members.map(({ owned }) => [...owned])
      return (
        shares.flat().length === walks.partitions &&
        new Set(shares.flat()).size === walks.partitions &&
        shares.every(({ length }) => length >= least && length <= least + 1)
      )
    })
  }

  /** Ends what is left of it. */
  async end(): Promise<void> {
    await Promise.all(this.all.map((member) => member.kill()))
  }
}

/** Of some partitions, the longest time in ms between two commits since then, as their one owner told it. */
export function longestGapMs(member: MemberProcess, partitions: readonly number[], sinceMs: number): number {
  return Math.max(
    0,
    ...partitions.map((partition) => {
      const times = member
        .told('progress')
        .filter((one) => one.partition === partition && one.atMs >= sinceMs)
        .map(({ atMs }) => atMs)
      return Math.max(0, ...times.map((atMs, at) => atMs - (times[at - 1] ?? sinceMs)))
    }),
  )
}
