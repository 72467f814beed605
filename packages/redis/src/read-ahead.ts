import type { Redis } from 'ioredis'

/** What XREAD answers: by stream, its entries. */
export type StreamReply = [key: string, entries: [id: string, fields: string[]][]][] | null

export type StreamEntries = readonly [id: string, fields: string[]][]

/** Most streams that a page is kept of. */
const mostPages = 32
/** A page is read ahead only behind one whose entries have less characters than this. */
const mostSize = 1024 * 1024

interface Page {
  readonly name: string
  readonly cursor: string
  readonly count: number
  readonly reply: Promise<StreamReply | undefined>
}

/**
 * The next page of streams that are read on and on: asked for before the last one is worked on, so that the server
 * serves it meanwhile and not behind what comes of that work.
 */
export class ReadAhead {
  // No map: one that is added to and taken from links its tables, and an old table keeps all later pages alive.
  readonly #pages: Page[] = []

  /** Asks for what follows a full page. */
  begin(redis: Redis, name: string, count: number, page: StreamEntries): void {
    const cursor = page.at(-1)?.[0]
    let size = 0
    for (const [, fields] of page) size += fields[1]?.length ?? 0
    if (cursor === undefined || size > mostSize) return
    const reply = redis.xread('COUNT', count, 'STREAMS', name, cursor).then(
      (answer) => answer as StreamReply,
      // Whoever wants the page reads it then, and is told why that fails.
      () => undefined,
    )
    this.#remove(name)
    this.#pages.push({ name, cursor, count, reply })
    if (this.#pages.length > mostPages) this.#pages.shift()
  }

  /**
   * The page that follows a cursor, if it was asked for and is full: one that is not may have grown since. Not before
   * everything else that has arrived is dealt with, such as the answer of a commit, which the next commit waits for.
   */
  async take(name: string, cursor: string, count: number): Promise<StreamEntries | undefined> {
    const page = this.#remove(name)
    if (!page) return undefined
    if (page.cursor !== cursor || page.count !== count) return undefined
    const entries = (await page.reply)?.[0]?.[1]
    if (entries?.length !== count) return undefined
    await new Promise((resolve) => setImmediate(resolve))
    return entries
  }

  #remove(name: string): Page | undefined {
    const at = this.#pages.findIndex((page) => page.name === name)
    return at < 0 ? undefined : this.#pages.splice(at, 1)[0]
  }
}
