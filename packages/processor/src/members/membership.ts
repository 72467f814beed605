import { MillraceError } from '@millrace/event'
import { backoffMs } from '@millrace/retry'
import type { Timers } from '../lane/timers.ts'
import { assign } from './assign.ts'
import type { MemberGroup, MemberList, MembersView } from './member-list.ts'
import { type MemberNews, newsBetween } from './member-news.ts'
import { liveMembers, type MemberState } from './member-state.ts'
import { type MembersHealth, membersHealth } from './members-health.ts'

/**
 * Pause between two looks at the list, in ms: how late a member learns of a join, a leave or a silence. A look costs the
 * server some 20 µs, and 0.6 µs more for each member. Blocked readers on a control stream would cost a connection each.
 */
const lookMs = 250
/** Looks of all members in a second, at most: with more than a hundred members each looks more rarely. */
const looksASecond = 400
/** Pauses between looks that fail. */
const retry = { firstMs: lookMs, maxMs: 2_000 }
/** For so long after an outage the silence of others counts for nothing, in ms: they need time to come back, too. */
const hearingMs = 2_000

/** A heartbeat is due; the list has not answered for too long; it has for long enough; one answer takes too long. */
type Alarm = 'beat' | 'silence' | 'hearing' | 'answer'

/** What a member needs to take part in its group. */
export interface MembershipSettings {
  readonly list: MemberList
  readonly at: MemberGroup
  readonly member: string
  /** How long it counts as live without a heartbeat, in ms. It sends one every third of that. */
  readonly ttlMs: number
  /** The partitions that it cannot work on now. */
  readonly declines: () => readonly number[]
  /** Called when it may be the desired owner of other partitions than before. */
  readonly changed: () => void
  readonly tell: (news: MemberNews | { readonly kind: 'trouble'; readonly error: unknown }) => void
  readonly timers: Timers
  /** From 0 up to 1. */
  readonly random: () => number
}

/** A member's part in its group: heartbeats, looks at the list, and the next assignment where one is due. */
export class Membership {
  readonly #settings: MembershipSettings
  readonly #timers: Timers
  #view: MembersView | undefined
  #state: MemberState = 'joining'
  #fault: string | undefined
  #failures = 0
  /** A heartbeat is due. */
  #due = true
  /** Partitions that the last heartbeat declined. */
  #declined = ''
  /** It has been in touch with the list for long enough to know who is silent. */
  #hearing = true
  readonly #cancels = new Map<Alarm, () => void>()
  #wake: (() => void) | undefined

  constructor(settings: MembershipSettings) {
    this.#settings = settings
    this.#timers = settings.timers
  }

  /** Whether it is the desired owner of a partition, and so may try for its lease. */
  desires(partition: number): boolean {
    return this.#state === 'live' && this.#owner(partition) === this.#settings.member
  }

  /** Another member that is live and the desired owner of a partition: whoever holds that must hand it over. */
  heirOf(partition: number): string | undefined {
    const owner = this.#owner(partition)
    if (this.#state !== 'live' || owner === this.#settings.member || !this.#view) return undefined
    return liveMembers(this.#view).find(({ member }) => member === owner)?.member
  }

  health(): MembersHealth {
    const { member } = this.#settings
    return membersHealth(this.#view, { member, state: this.#state, fault: this.#fault })
  }

  /** Takes part until the signal. Never rejects. */
  async run(stopping: AbortSignal): Promise<void> {
    const wake = () => this.#wake?.()
    stopping.addEventListener('abort', wake, { once: true })
    while (!stopping.aborted) {
      const pauseMs = await this.#turn()
      if (!stopping.aborted) await this.#sleep(pauseMs)
    }
    stopping.removeEventListener('abort', wake)
    for (const cancel of this.#cancels.values()) cancel()
  }

  /** Takes its leave, so that the others need not wait until it is silent. To be called when {@link run} has ended. */
  async leave(): Promise<void> {
    const { list, at, member } = this.#settings
    this.#state = 'gone'
    await list.leave(at, member)
  }

  /** One look, with all that follows from it; answers the pause until the next one, in ms. */
  async #turn(): Promise<number> {
    // An answer that took so long tells of a list that was away, or of a member that slept.
    this.#at('answer', this.#settings.ttlMs / 3, () => this.#deaf())
    try {
      this.#adopt(await this.#lookOrBeat())
      await this.#propose()
      if (!this.#hearing && !this.#cancels.has('hearing')) this.#at('hearing', hearingMs, () => this.#hears())
      this.#failures = 0
      this.#fault = undefined
      return Math.max(lookMs, ((this.#view?.members.length ?? 0) * 1_000) / looksASecond)
    } catch (error) {
      const passing = error instanceof MillraceError && error.retryable
      this.#fault = passing ? undefined : error instanceof Error ? error.message : String(error)
      this.#failures += 1
      this.#deaf()
      this.#settings.tell({ kind: 'trouble', error })
      return backoffMs(retry, this.#failures, this.#settings.random())
    } finally {
      this.#cancel('answer')
    }
  }

  async #lookOrBeat(): Promise<MembersView> {
    const { list, at, member, ttlMs } = this.#settings
    const declines = this.#settings.declines()
    if (!this.#due && declines.join() === this.#declined) return list.look(at)
    const view = await list.heartbeat(at, { member, ttlMs, declines })
    this.#due = false
    this.#declined = declines.join()
    this.#state = 'live'
    this.#at('beat', ttlMs / 3, () => {
      this.#due = true
      this.#wake?.()
    })
    this.#at('silence', ttlMs, () => (this.#state = 'silent'))
    return view
  }

  #adopt(view: MembersView): void {
    const { member, tell, changed } = this.#settings
    const news = newsBetween(this.#view, view, member)
    this.#view = view
    // A list that has lost this member hears from it at the next look.
    if (!view.members.some((one) => one.member === member)) this.#due = true
    for (const one of news) tell(one)
    if (news.length > 0) changed()
  }

  /** Proposes the next assignment, if the one that stands does not fit the live members. */
  async #propose(): Promise<void> {
    const { list, at, member } = this.#settings
    if (!this.#view || !this.#hearing) return
    const live = liveMembers(this.#view)
    if (!live.some((one) => one.member === member)) return
    const { revision, owners } = this.#view.assignment
    const next = assign(live, at.topic.partitions, owners)
    if (next.length === owners.length && next.every((owner, at) => owner === owners[at])) return
    this.#adopt(await list.assign(at, { revision, owners: next }))
  }

  /** It was out of touch: who has been silent meanwhile, it cannot know. */
  #deaf(): void {
    this.#hearing = false
    this.#cancel('hearing')
  }

  #hears(): void {
    this.#hearing = true
    this.#cancel('hearing')
  }

  #owner(partition: number): string | undefined {
    return this.#view?.assignment.owners[partition]
  }

  #at(what: Alarm, afterMs: number, act: () => void): void {
    this.#cancel(what)
    this.#cancels.set(what, this.#timers.set(afterMs, act))
  }

  #cancel(what: Alarm): void {
    this.#cancels.get(what)?.()
    this.#cancels.delete(what)
  }

  #sleep(mostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.set(mostMs, () => this.#wake?.())
      this.#wake = () => {
        this.#wake = undefined
        cancel()
        resolve()
      }
    })
  }
}
