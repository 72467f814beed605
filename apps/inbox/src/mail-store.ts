import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freshId } from '@millrace/event'
import { deliveryHead, type Envelope, type MailSummary, summaryOf, withoutHead } from './stored-mail.ts'

export interface StoreLimits {
  /** Beyond these the oldest mails are removed. */
  readonly maxMails: number
  readonly maxTotalBytes: number
}

const fileName = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.eml$/
const leftOver = /^\.[0-9a-f-]{36}\.tmp$/

/**
 * Mails as files of one directory, one `.eml` each, with their summaries in memory. A file is written under
 * another name first, so what is there is whole. It is not forced to the disk: an inbox to look at may lose
 * a mail when the power fails, not when the process is killed.
 *
 * One process at a time; files that it did not write are left alone.
 */
export class MailStore {
  readonly #dir: string
  readonly #limits: StoreLimits
  readonly #listeners = new Set<() => void>()
  readonly #mails: MailSummary[] = []
  #bytes = 0
  #received = 0
  // One change at a time: the ids appear in their order, so whoever reads on from an id misses nothing.
  #last: Promise<unknown> = Promise.resolve()

  constructor(dir: string, limits: StoreLimits) {
    this.#dir = dir
    this.#limits = limits
  }

  /** Finds the mails that are there. Before anything else, once. */
  async open(): Promise<void> {
    await mkdir(this.#dir, { recursive: true })
    const names = await readdir(this.#dir)
    for (const name of names.filter((each) => leftOver.test(each))) await rm(join(this.#dir, name))
    const ids = names.flatMap((name) => fileName.exec(name)?.[1] ?? []).toSorted()
    for (const id of ids) {
      const parts = withoutHead(await readFile(this.#path(id)))
      if (parts !== undefined) this.#keep(await summaryOf(id, parts.envelope, parts.raw))
    }
    await this.#removeOldest()
  }

  /** All summaries, oldest first. */
  get mails(): readonly MailSummary[] {
    return this.#mails
  }

  /** Bytes of all mails that are kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Mails that came since the start. */
  get received(): number {
    return this.#received
  }

  /** Calls back after every change; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async add(envelope: Envelope, raw: Buffer): Promise<MailSummary> {
    return this.#inTurn(async () => {
      const id = freshId()
      const summary = await summaryOf(id, envelope, raw)
      const draft = join(this.#dir, `.${id}.tmp`)
      await writeFile(draft, Buffer.concat([Buffer.from(deliveryHead(id, envelope)), raw]), { mode: 0o600 })
      await rename(draft, this.#path(id))
      this.#keep(summary)
      this.#received += 1
      await this.#removeOldest()
      return summary
    })
  }

  /** The mail as it came; undefined when it is not there (any more). */
  async read(id: string): Promise<{ readonly summary: MailSummary; readonly raw: Buffer } | undefined> {
    const summary = this.#mails.find((mail) => mail.id === id)
    if (summary === undefined) return undefined
    const file = await readFile(this.#path(id)).catch(ifThere)
    const parts = file === undefined ? undefined : withoutHead(file)
    return parts === undefined ? undefined : { summary, raw: parts.raw }
  }

  /** Removes all mails; says how many there were. */
  async clear(): Promise<number> {
    return this.#inTurn(async () => {
      const count = this.#mails.length
      while (this.#mails.length > 0) await this.#removeFirst()
      return count
    })
  }

  #keep(summary: MailSummary): void {
    this.#mails.push(summary)
    this.#bytes += summary.size
  }

  async #removeOldest(): Promise<void> {
    const { maxMails, maxTotalBytes } = this.#limits
    while (this.#mails.length > maxMails || (this.#bytes > maxTotalBytes && this.#mails.length > 1)) {
      await this.#removeFirst()
    }
  }

  async #removeFirst(): Promise<void> {
    const first = this.#mails[0]
    if (first === undefined) return
    await rm(this.#path(first.id), { force: true })
    this.#mails.shift()
    this.#bytes -= first.size
  }

  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const before = this.#last
    const mine = before.then(change, change)
    // A change that failed must not fail the next.
    this.#last = mine.catch(() => undefined)
    const result = await mine
    for (const listener of this.#listeners) listener()
    return result
  }

  #path(id: string): string {
    return join(this.#dir, `${id}.eml`)
  }
}

function ifThere(error: unknown): undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return undefined
  throw error
}
