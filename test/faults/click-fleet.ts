import { CutProxy } from '../support/cut-proxy.ts'
import { Child } from './child.ts'
import { Heard } from './heard.ts'
import { clicks } from './clicks.ts'
import type { ClickOrder, ClickWord } from './click-process.ts'

/** A member of the run: a process, and its own way to Redis, which can be disturbed. */
export class ClickMember {
  readonly name: string
  readonly proxy: CutProxy
  readonly owned = new Set<number>()
  readonly child: Child<ClickOrder, ClickWord>
  holding = false

  private constructor(
    order: ClickOrder,
    proxy: CutProxy,
    heard: (member: ClickMember, word: ClickWord) => void,
  ) {
    this.name = order.name
    this.proxy = proxy
    this.child = new Child('click-process.ts', order, (word: ClickWord) => {
      if (word.type === 'lease') this.owned[word.held ? 'add' : 'delete'](word.partition)
      if (word.type === 'holding') this.holding = true
      heard(this, word)
    })
  }

  static async join(
    order: Omit<ClickOrder, 'redisUrl'>,
    port: number,
    heard: (member: ClickMember, word: ClickWord) => void,
  ): Promise<ClickMember> {
    const proxy = await CutProxy.open(port)
    return new ClickMember({ ...order, redisUrl: proxy.url }, proxy, heard)
  }

  async kill(): Promise<void> {
    await this.child.kill()
    await this.proxy.close()
  }
}

/** What the members of a run have told and met. */
export interface FleetTale {
  readonly kills: number
  readonly pauses: number
  readonly cuts: number
  readonly lostAnswers: number
  readonly hangs: number
  /** Commits that were answered by "fenced", by "already". */
  readonly fenced: number
  readonly already: number
  readonly leases: number
  /** News of trouble and the like, by kind. */
  readonly news: Readonly<Record<string, number>>
  /** From each loss of a member to the lease of all its partitions by others, in ms. */
  readonly takeoversMs: readonly number[]
  /** Ends of processes that nobody asked for. */
  readonly complaints: readonly string[]
}

/** Members that are killed, paused, cut off and replaced. */
export class ClickFleet {
  readonly leaseMs: number
  members: ClickMember[] = []
  readonly #redis: { readonly url: string; readonly port: number }
  readonly #counts = { kills: 0, pauses: 0, cuts: 0, hangs: 0, fenced: 0, already: 0, leases: 0 }
  readonly #news = new Map<string, number>()
  readonly #takeoversMs: number[] = []
  readonly #complaints: string[] = []
  readonly #heard = new Heard<ClickMember, ClickWord>()
  #lostAnswers = 0
  #joined = 0

  constructor(redis: { readonly url: string; readonly port: number }, leaseMs: number) {
    this.#redis = redis
    this.leaseMs = leaseMs
  }

  get tale(): FleetTale {
    const lostAnswers = this.members.reduce((sum, { proxy }) => sum + proxy.cuts, this.#lostAnswers)
    return {
      ...this.#counts,
      lostAnswers,
      news: Object.fromEntries(this.#news),
      takeoversMs: this.#takeoversMs,
      complaints: this.#complaints,
    }
  }

  async join(): Promise<void> {
    const name = `m${++this.#joined}`
    const order = { name, leaseMs: this.leaseMs, notesUrl: this.#redis.url }
    const member = await ClickMember.join(order, this.#redis.port, (from, word) => this.#hear(from, word))
    this.members.push(member)
    void member.child.ended.then((how) => {
      if (how !== 'killed' && this.members.includes(member)) this.#complaints.push(how)
    })
  }

  /** Kills a member, lets the others take over, and puts another in its place. */
  async kill(member: ClickMember): Promise<void> {
    this.#counts.kills += 1
    const taken = this.#takenOver(member)
    await this.#remove(member)
    await taken
    await this.join()
  }

  /** Stops a member past its lease with a commit in its hand, and lets it send that one when others have its work. */
  async pause(member: ClickMember): Promise<void> {
    this.#counts.pauses += 1
    member.holding = false
    const holding = this.#heard.until((from, { type }) => from === member && type === 'holding', 3_000)
    member.child.tell('hold-commit')
    await holding
    const taken = this.#takenOver(member)
    member.child.pause()
    await taken
    const fenced = this.#heard.until((from, word) => from === member && word.type === 'commit', 3_000)
    member.child.goOn()
    member.child.tell('let-commit')
    await fenced
  }

  /** Cuts all connections of a member at once. */
  cut(member: ClickMember): void {
    this.#counts.cuts += 1
    member.proxy.cutAll()
  }

  /** Loses answers of a member's requests, one after the other. */
  async lose(member: ClickMember, times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      member.proxy.cutNextAnswer()
      await pauseOf(150)
    }
  }

  /** Lets nothing through for a time; then everything, late. */
  async hang(member: ClickMember, ms: number): Promise<void> {
    this.#counts.hangs += 1
    member.proxy.hang()
    await pauseOf(ms)
    member.proxy.resume()
  }

  /** Lets all of them stop in good order. */
  async stop(): Promise<void> {
    const all = this.members
    this.members = []
    for (const { child } of all) child.tell('stop')
    await Promise.all(
      all.map(async ({ child, proxy }) => {
        await child.ended
        this.#lostAnswers += proxy.cuts
        await proxy.close()
      }),
    )
  }

  /** Ends what is left of it. */
  async end(): Promise<void> {
    await Promise.all(this.members.map((member) => this.#remove(member)))
  }

  async #remove(member: ClickMember): Promise<void> {
    this.members = this.members.filter((one) => one !== member)
    this.#lostAnswers += member.proxy.cuts
    await member.kill()
  }

  /** Resolves when others hold all that a member held when this was asked. */
  async #takenOver(member: ClickMember): Promise<void> {
    const sinceMs = Date.now()
    const missing = new Set(member.owned)
    if (missing.size === 0) return
    const all = await this.#heard.until((from, word) => {
      if (from !== member && word.type === 'lease' && word.held) missing.delete(word.partition)
      return missing.size === 0
    }, this.leaseMs + 60_000)
    this.#takeoversMs.push(all ? Date.now() - sinceMs : Number.POSITIVE_INFINITY)
    member.owned.clear()
  }

  #hear(member: ClickMember, word: ClickWord): void {
    if (word.type === 'commit' && word.result !== 'committed') this.#counts[word.result] += 1
    if (word.type === 'lease' && word.held) {
      this.#counts.leases += 1
      if (word.partition >= clicks.partitions) this.#complaints.push(`lease of partition ${word.partition}`)
    }
    if (word.type === 'news') {
      const kind = word.kind === 'ended' ? `ended (${word.why})` : word.kind
      this.#news.set(kind, (this.#news.get(kind) ?? 0) + 1)
    }
    this.#heard.tell(member, word)
  }
}

export function pauseOf(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
