import type { EventLog } from '@millrace/log'
import type { ConsumerEvent } from '../../consumer-event.ts'
import { type Actor, Stage, type StageHandler, type StageOptions } from '../../contract/stage.ts'
import type { GroupStore } from '../../group-store.ts'
import type { MemberList } from '../member-list.ts'
import { FaultyMemberList } from './faulty-member-list.ts'

/** What members need to share the partitions of a log, to put through the suite. */
export interface MembersUnderTest {
  readonly log: EventLog
  readonly store: GroupStore
  readonly list: MemberList
  close(): Promise<void>
}

/** A member under test, with its own way to the store and to the list. */
export interface Player extends Actor {
  readonly list: FaultyMemberList
}

/** Several members of one group on one topic. */
export class Troupe {
  readonly stage: Stage
  readonly players: Player[] = []
  /** What handlers have completed, of whichever member, in order. */
  readonly handled: { readonly key: string; readonly partition: number; readonly seq: number }[] = []
  appended = 0
  readonly #subject: MembersUnderTest
  /** Health changes with the mere passing of time, which nobody tells of. */
  readonly #looking: NodeJS.Timeout

  constructor(subject: MembersUnderTest, partitions: number) {
    this.#subject = subject
    // Times are real here, and leases short: nobody turns a clock.
    this.stage = new Stage({ ...subject, advance: () => undefined }, partitions)
    this.#looking = setInterval(() => this.stage.changed(), 25)
  }

  async join(handle?: StageHandler, options: StageOptions = {}): Promise<Player> {
    const list = new FaultyMemberList(this.#subject.list)
    const actor = await this.stage.start(
      async (delivered, context) => {
        await handle?.(delivered, context)
        const { partition, seq } = delivered.position
        this.handled.push({ key: delivered.event.subject, partition, seq })
      },
      { leaseMs: 900, ...options, members: list },
    )
    const player = { ...actor, list }
    this.players.push(player)
    return player
  }

  /** Partitions that a member works on. */
  owned({ running }: Player): readonly number[] {
    return running
      .health()
      .partitions.filter(({ owned, handingOver }) => owned && !handingOver)
      .map(({ partition }) => partition)
  }

  /** Resolves when these members, and nobody else, share the partitions evenly. */
  shared(...players: readonly Player[]): Promise<void> {
    const { partitions } = this.stage.topic
    return this.stage.until(() => {
      const shares = players.map((player) => this.owned(player))
      const least = Math.floor(partitions / players.length)
      return (
        new Set(shares.flat()).size === partitions &&
        shares.flat().length === partitions &&
        shares.every((share) => share.length >= least && share.length <= least + 1)
      )
    })
  }

  /** Appends an event for each of so many keys. */
  async append(keys: number): Promise<void> {
    await this.stage.append(...Array.from({ length: keys }, (_, at) => `k${at}`))
    this.appended += keys
  }

  /** Events that some handler has completed. */
  get completed(): number {
    return new Set(this.handled.map(placeOf)).size
  }

  /** Keys whose events were not first completed in the order of the log. */
  disordered(): readonly string[] {
    const seen = new Set<string>()
    const last = new Map<string, number>()
    const firsts = this.handled.filter((one) => seen.size < seen.add(placeOf(one)).size)
    const wrong = firsts.filter(({ key, seq }) => {
      const before = last.get(key) ?? 0
      last.set(key, seq)
      return seq < before
    })
    return wrong.map(({ key, seq }) => `${key}: ${seq} late`)
  }

  async end(): Promise<void> {
    for (const { list } of this.players) list.resume()
    await this.stage.end()
    clearInterval(this.#looking)
  }
}

function placeOf({ partition, seq }: { readonly partition: number; readonly seq: number }): string {
  return `${partition}/${seq}`
}

/** The news of one kind, of these members or of one. */
export function newsOf<K extends ConsumerEvent['kind']>(
  kind: K,
  ...players: readonly Player[]
): readonly Extract<ConsumerEvent, { kind: K }>[] {
  return players
    .flatMap(({ news }) => news)
    .filter((one): one is Extract<ConsumerEvent, { kind: K }> => one.kind === kind)
}
