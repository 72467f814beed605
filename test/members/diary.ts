import { newEvent, partitionOfKey } from '@millrace/event'
import { appendOne } from '@millrace/log'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { Redis } from 'ioredis'
import { diaryKey, type Entry, group, onwards, walks } from './walk.ts'

const walkers = 40

/** Appends steps at a steady rate, until it is told to end. */
export class Feed {
  readonly #log: RedisLog
  readonly #timer: NodeJS.Timeout
  #turn: Promise<unknown> = Promise.resolve()
  /** Steps that are on the log. */
  steps = 0

  /** @param everyMs Time between two rounds, in each of which every tenth walker makes a step. */
  constructor(log: RedisLog, everyMs = 20) {
    this.#log = log
    this.#timer = setInterval(() => {
      this.#turn = this.#turn.then(() => this.#round())
    }, everyMs)
  }

  /** Resolves when the last step is on the log. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#turn
  }

  async #round(): Promise<void> {
    const first = (this.steps / (walkers / 10)) % 10
    const units = Array.from({ length: walkers / 10 }, (_, at) => {
      const key = `w${at * 10 + first}`
      return newEvent(walks, { type: 'Stepped', key, data: { n: this.steps + at } })
    })
    await Promise.all(units.map((event) => appendOne(this.#log, walks, { events: [event] })))
    this.steps += units.length
  }
}

/** What the members did, by what their handlers wrote down, and by the group's own records. */
export interface Verdict {
  /** Steps that nobody handled. */
  readonly lost: number
  /** Handled more than once. */
  readonly repeated: number
  /** Steps that were first handled after a later one of their walker. */
  readonly disordered: readonly string[]
  /** Walkers whose state is not the fold of their steps: each once, in order. */
  readonly misfolded: readonly string[]
  /** Partitions whose position is not the tip. */
  readonly behind: readonly number[]
}

/** The files of a test: a log, the diary, the group's records. */
export class Diary {
  readonly log: RedisLog
  readonly #store: RedisGroupStore
  readonly #redis: Redis
  readonly #entries: Entry[] = []
  readonly #places = new Set<string>()

  private constructor(log: RedisLog, store: RedisGroupStore, redis: Redis) {
    this.log = log
    this.#store = store
    this.#redis = redis
  }

  static async open(url: string): Promise<Diary> {
    return new Diary(await connectLog({ url }), await connectGroupStore({ url }), new Redis(url))
  }

  /** All that is in it, in order. */
  async entries(): Promise<readonly Entry[]> {
    await this.#read()
    return this.#entries
  }

  /** Resolves when so many different steps are in it. */
  async until(steps: number): Promise<void> {
    while ((await this.#read()) < steps) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  /** To be asked when the members have stopped. */
  async verdict(): Promise<Verdict> {
    await this.#read()
    const tips = await this.log.tips(walks)
    const states = await Promise.all(
      tips.map(({ partition }) => this.#store.look({ topic: walks, partition, group })),
    )
    return {
      lost: tips.reduce((sum, { seq }) => sum + seq, 0) - this.#places.size,
      repeated: this.#entries.length - this.#places.size,
      disordered: this.#disordered(),
      misfolded: await this.#misfolded(),
      behind: tips
        .filter(({ seq }, at) => states[at]?.position.seq !== seq)
        .map(({ partition }) => partition),
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.log.close(), this.#store.close()])
    this.#redis.disconnect()
  }

  /** Reads on; answers how many different steps are in it. */
  async #read(): Promise<number> {
    for (const text of await this.#redis.lrange(diaryKey, this.#entries.length, -1)) {
      const entry = JSON.parse(text) as Entry
      this.#entries.push(entry)
      this.#places.add(placeOf(entry))
    }
    return this.#places.size
  }

  #disordered(): readonly string[] {
    const seen = new Set<string>()
    const last = new Map<string, number>()
    const firsts = this.#entries.filter((entry) => seen.size < seen.add(placeOf(entry)).size)
    const late = firsts.filter(({ walker, seq }) => {
      const before = last.get(walker) ?? 0
      last.set(walker, seq)
      return seq < before
    })
    return late.map((entry) => `${entry.walker} ${placeOf(entry)}`)
  }

  async #misfolded(): Promise<readonly string[]> {
    const names = Array.from({ length: walkers }, (_, at) => `w${at}`)
    const right = await Promise.all(
      names.map(async (key) => {
        const { events } = await this.log.readKey(walks, key, { limit: 10_000 })
        const folded = events.reduce((walk, { event }) => onwards(walk, (event.data as { n: number }).n), {
          steps: 0,
          trace: 0,
        })
        const at = { topic: walks, partition: partitionOfKey(walks, key), group }
        const [stored] = await this.#store.loadStates(at, [key])
        return stored?.state?.state === JSON.stringify(folded)
      }),
    )
    return names.filter((_, at) => right[at] === false)
  }
}

function placeOf({ partition, seq }: Entry): string {
  return `${partition}/${seq}`
}
