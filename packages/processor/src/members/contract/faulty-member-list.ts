import { MillraceError } from '@millrace/event'
import type { Assignment, Heartbeat, MemberGroup, MemberList, MembersView } from '../member-list.ts'

/** One member's way to the list, which a test can cut or hold up. */
export class FaultyMemberList implements MemberList {
  readonly #inner: MemberList
  #held: { promise: Promise<void>; resolve: () => void } | undefined
  #cut = false

  constructor(inner: MemberList) {
    this.#inner = inner
  }

  /** As if the process slept: calls go nowhere until `resume`. */
  pause(): void {
    this.#held ??= Promise.withResolvers<void>()
  }

  /** Nothing gets through until `resume`. */
  cut(): void {
    this.#cut = true
  }

  resume(): void {
    this.#cut = false
    this.#held?.resolve()
    this.#held = undefined
  }

  heartbeat(at: MemberGroup, beat: Heartbeat): Promise<MembersView> {
    return this.#through(() => this.#inner.heartbeat(at, beat))
  }

  look(at: MemberGroup): Promise<MembersView> {
    return this.#through(() => this.#inner.look(at))
  }

  leave(at: MemberGroup, member: string): Promise<MembersView> {
    return this.#through(() => this.#inner.leave(at, member))
  }

  assign(at: MemberGroup, made: Assignment): Promise<MembersView> {
    return this.#through(() => this.#inner.assign(at, made))
  }

  async #through<T>(act: () => Promise<T>): Promise<T> {
    await this.#held?.promise
    if (this.#cut) throw new MillraceError('members.unavailable')
    return act()
  }
}
