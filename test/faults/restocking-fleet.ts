import { setTimeout as pause } from 'node:timers/promises'
import { Child } from './child.ts'
import { Heard } from './heard.ts'
import type { RestockingOrder, RestockingWord } from './restocking-process.ts'

/** A member of the run. */
interface Member {
  readonly name: string
  readonly child: Child<RestockingOrder, RestockingWord>
}

/** What was done to the members, and what they told. */
export interface FleetTale {
  kills: number
  pauses: number
  /** Commits that were answered by "fenced", by "already". */
  fenced: number
  already: number
  leases: number
  /** Work that others had not taken over in time. */
  orphaned: number
  readonly news: Record<string, number>
  /** Answers to clicks, by HTTP status. */
  readonly clicks: Record<string, number>
  /** Ends of processes that nobody asked for. */
  readonly ends: string[]
}

/** How long others may take for what a lost member held, in ms. */
const takeoverMs = 120_000
/** How often a member may end before it works, while a server is away. */
const beginnings = 20

/** Members of restocking that are killed, put to sleep past their leases, and replaced. */
export class RestockingFleet {
  readonly tale: FleetTale = {
    ...{ kills: 0, pauses: 0, fenced: 0, already: 0, leases: 0, orphaned: 0 },
    ...{ news: {}, clicks: {}, ends: [] },
  }
  /** Mails to suppliers, by their idempotency key: how many there were, and of which suggestion. */
  readonly mails = new Map<string, { suggestion: string; count: number }>()
  members: readonly Member[] = []
  readonly #order: Omit<RestockingOrder, 'name'>
  readonly #heard = new Heard<Member, RestockingWord>()
  /** Who was heard last to hold a partition of a group. */
  readonly #holders = new Map<string, Member>()
  #joined = 0

  constructor(order: Omit<RestockingOrder, 'name'>) {
    this.#order = order
  }

  /** Starts another one; resolves when it works. One that ends before that has met a server that is away: another one begins. */
  async join(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const ended = await this.#begin()
      if (ended === undefined) return
      if (attempt === beginnings) {
        this.tale.ends.push(ended)
        return
      }
      await pause(250)
    }
  }

  /** Starts a member; answers how it ended, if it did before it worked. */
  async #begin(): Promise<string | undefined> {
    let isReady = false
    const order = { ...this.#order, name: `m${++this.#joined}` }
    const member: Member = {
      name: order.name,
      child: new Child('restocking-process.ts', order, (word: RestockingWord) => this.#hear(member, word)),
    }
    this.members = [...this.members, member]
    const ready = this.#heard.until((from, { type }) => from === member && type === 'ready', takeoverMs)
    const ended = member.child.ended.then((how) => {
      if (how === 'killed' || !this.members.includes(member)) return undefined
      if (isReady) this.tale.ends.push(how)
      this.#without(member)
      return how
    })
    return Promise.race([
      ended,
      ready.then(() => {
        isReady = true
        return undefined
      }),
    ])
  }

  /** SIGKILL; another one joins while others take its work over. */
  async kill(member: Member): Promise<void> {
    this.tale.kills += 1
    const taken = this.#takenOver(member)
    this.#without(member)
    await member.child.kill()
    await Promise.all([taken, this.join()])
  }

  /** Puts a member to sleep with commits in its hand, and lets it send them when others have its work. */
  async sleepThrough(member: Member): Promise<void> {
    this.tale.pauses += 1
    const holding = this.#heard.until((from, { type }) => from === member && type === 'holding', 3_000)
    member.child.tell('hold-commit')
    await holding
    const taken = this.#takenOver(member)
    member.child.pause()
    await taken
    const answered = this.#heard.until((from, { type }) => from === member && type === 'commit', 3_000)
    member.child.goOn()
    member.child.tell('let-commit')
    await answered
  }

  /** Clicks on a suggestion; the same click again elsewhere, when there is no answer. Answers the HTTP status. */
  async click(suggestion: string, key: string): Promise<number | undefined> {
    for (let attempt = 0; attempt < 6; attempt++) {
      const member = this.members[(this.#joined + attempt) % Math.max(1, this.members.length)]
      let status = 503
      const answered = this.#heard.until((_, word) => {
        if (word.type !== 'clicked' || word.key !== key) return false
        status = word.status
        return true
      }, 8_000)
      member?.child.tell(`click ${key} ${suggestion}`)
      await Promise.race([answered, member?.child.ended])
      this.tale.clicks[status] = (this.tale.clicks[status] ?? 0) + 1
      if (status < 500) return status
      await pause(250)
    }
    return undefined
  }

  async end(): Promise<void> {
    const all = this.members
    this.members = []
    for (const { child } of all) {
      child.goOn()
      await child.kill()
    }
  }

  #without(member: Member): void {
    this.members = this.members.filter((one) => one !== member)
  }

  /** Resolves when others hold all that a member held when this was asked. */
  async #takenOver(member: Member): Promise<void> {
    const missing = new Set([...this.#holders].flatMap(([place, one]) => (one === member ? [place] : [])))
    if (missing.size === 0) return
    const all = await this.#heard.until((from, word) => {
      if (from !== member && word.type === 'lease' && word.held) missing.delete(word.place)
      return missing.size === 0
    }, takeoverMs)
    if (!all) this.tale.orphaned += missing.size
  }

  #hear(member: Member, word: RestockingWord): void {
    switch (word.type) {
      case 'lease':
        if (word.held) this.tale.leases += 1
        if (word.held) this.#holders.set(word.place, member)
        else if (this.#holders.get(word.place) === member) this.#holders.delete(word.place)
        break
      case 'commit':
        this.tale[word.result] += 1
        break
      case 'mailed': {
        const { count } = this.mails.get(word.key) ?? { count: 0 }
        this.mails.set(word.key, { suggestion: word.suggestion, count: count + 1 })
        break
      }
      case 'news': {
        const kind = word.kind === 'ended' ? `ended (${word.why})` : word.kind
        this.tale.news[kind] = (this.tale.news[kind] ?? 0) + 1
        break
      }
      case 'ready':
      case 'holding':
      case 'clicked':
        break
    }
    this.#heard.tell(member, word)
  }
}
