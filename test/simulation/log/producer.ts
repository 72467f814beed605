import { type Event, MillraceError, type Topic } from '@millrace/event'
import type { AppendResult, AppendUnit, ClaimChange } from '@millrace/log'
import { claim } from '@millrace/log/contract'
import type { Process } from '../port/network.ts'
import type { Seeded } from '../seeded.ts'
import { constraints, keys, type LogWorld, type Request, values } from './log-world.ts'

/** How many requests, counted from the latest, are sent again. */
const again = 10

/**
 * Appends units as a service does: with what it believes of its keys, several at once, and again with the same ids when
 * it hears nothing, or when its client asks a second time, or another process.
 */
export class Producer {
  readonly #process: Process
  readonly #world: LogWorld
  /** What it has last heard of keys. */
  readonly #versions = new Map<string, number>()
  readonly #tempers: readonly number[]

  constructor(process: Process, world: LogWorld) {
    this.#process = process
    this.#world = world
    this.#tempers = Array.from({ length: 4 }, () => world.random.temper())
  }

  /** Works until nothing goes wrong any more. */
  async live(): Promise<void> {
    const { random } = this.#world
    const [plain = 1, unique = 1, crowd = 1, repeat = 1] = this.#tempers
    while (!this.#world.calm) {
      await this.#process.sleep(random.between(1, 10))
      const request = random.weighted<() => Request | undefined>([
        [2 * plain, () => this.#request(this.#world.plain)],
        [3 * unique, () => this.#request(this.#world.unique)],
        [2 * crowd, () => this.#crowd()],
        [2 * repeat, () => this.#repeated()],
      ])?.()
      if (request) await this.#send(request)
      if (random.chance(0.2)) await this.#learn(random.pick(keys) ?? 'a')
    }
  }

  /** The same request again and again, until there is an answer. */
  async #send(request: Request): Promise<void> {
    this.#world.sent.push(request)
    for (;;) {
      try {
        const append = () => this.#append(request)
        this.#heard(request, await this.#process.call('append', append, 'append.unknown', request))
        return
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        if (error.code !== 'append.unknown' || this.#world.random.chance(0.1)) return
      }
    }
  }

  async #append({ topic, units, crowd }: Request): Promise<readonly AppendResult[]> {
    const { log } = this.#world
    if (!crowd) return log.append(topic, units)
    // All are waited for, also when one comes upon a violation: none may write into the next story.
    const sent = units.map((unit) => log.append(topic, [unit]))
    await Promise.allSettled(sent)
    return (await Promise.all(sent)).flat()
  }

  #heard({ topic, units }: Request, results: readonly AppendResult[]): void {
    for (const [at, result] of results.entries())
      if (result.status === 'appended')
        this.#versions.set(`${topic.name}/${units[at]?.events[0]?.subject}`, result.version)
  }

  async #learn(key: string): Promise<void> {
    const { random, log, plain, unique } = this.#world
    const topic = random.pick([plain, unique]) ?? plain
    try {
      const read = () => log.readKey(topic, key)
      const { version } = await this.#process.call('readKey', read, 'log.unavailable')
      this.#versions.set(`${topic.name}/${key}`, version)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
    }
  }

  #request(topic: Topic): Request {
    const { random } = this.#world
    const units = Array.from({ length: random.pick([1, 1, 2, 3]) ?? 1 }, () => this.#unit(topic))
    return { topic, units, crowd: false }
  }

  #unit(topic: Topic): AppendUnit {
    const { random, unique } = this.#world
    const key = random.pick(keys) ?? 'a'
    const count = random.pick([1, 1, 2, 3]) ?? 1
    const known = this.#versions.get(`${topic.name}/${key}`) ?? 0
    const claims = topic === unique && random.chance(0.6) ? this.#claims() : []
    return {
      events: Array.from({ length: count }, () => this.#world.newEvent(topic, key)),
      ...(random.chance(0.4) ? { expectedVersion: known } : {}),
      ...(random.chance(0.4) ? { fingerprint: fingerprintOf(random) } : {}),
      ...(claims.length > 0 ? { claims, skipUnchanged: random.chance(0.5) } : {}),
    }
  }

  #claims(): readonly ClaimChange[] {
    const { random } = this.#world
    const named = constraints.filter(() => random.chance(0.6))
    return named.map((constraint) => {
      const action = random.pick(['claim', 'claim', 'change', 'change', 'release'] as const) ?? 'claim'
      const value = action === 'release' || random.chance(0.1) ? null : (random.pick(values) ?? 'u')
      return claim(action, value, constraint, this.#keyring())
    })
  }

  #keyring(): readonly string[] {
    const { random, versions } = this.#world
    return random.chance(0.1) ? (random.pick([['1'], ['2'], ['1', '2']]) ?? versions) : versions
  }

  /** Keys that begin with a claim, many at the same moment. */
  #crowd(): Request {
    const { random, unique: topic } = this.#world
    const units = Array.from({ length: random.pick([1, 1, 2, 4]) ?? 1 }, (): AppendUnit => {
      const key = random.chance(0.7) ? this.#world.newKey() : (random.pick(keys) ?? 'a')
      const value = random.chance(0.6) ? `of-${key}` : (random.pick(values) ?? 'u')
      return {
        events: [this.#world.newEvent(topic, key)],
        expectedVersion: 0,
        claims: [claim('claim', value, 'email', this.#keyring().slice(0, 1))],
        ...(random.chance(0.4) ? { fingerprint: fingerprintOf(random) } : {}),
      }
    })
    const twice = random.chance(0.2) ? units.slice(0, 1) : []
    return { topic, units: [...units, ...twice], crowd: true }
  }

  /** What somebody has sent before: the very same, or what a confused client makes of it. */
  #repeated(): Request | undefined {
    const { random, sent } = this.#world
    const request = random.pick(sent.slice(-again))
    if (!request || random.chance(0.5)) return request
    const units = request.units.map((unit) => this.#confused(request.topic, unit))
    return { ...request, units: random.chance(0.3) ? [...units, ...units.slice(0, 1)] : units }
  }

  #confused(topic: Topic, unit: AppendUnit): AppendUnit {
    const { random } = this.#world
    const [first] = unit.events
    const more = first ? [this.#world.newEvent(topic, first.subject)] : []
    const events = random.weighted<readonly Event[]>([
      [4, unit.events],
      [1, unit.events.length > 1 ? unit.events.slice(1) : unit.events],
      [1, [...unit.events, ...more]],
    ])
    const other = random.chance(0.3) ? { fingerprint: fingerprintOf(random) } : {}
    return { ...unit, events: events ?? unit.events, ...other }
  }
}

function fingerprintOf(random: Seeded): string {
  return random.pick(['f1', 'f2']) ?? 'f1'
}
