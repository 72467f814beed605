import { MillraceError } from '@millrace/event'
import {
  assertGroupName,
  type Assignment,
  type Heartbeat,
  type MemberGroup,
  type MemberList,
  type MembersView,
} from '@millrace/processor'
import type { Redis } from 'ioredis'
import { closeConnection, type ConnectionOptions, openWriting } from './connection.ts'
import { readFailure } from './failure.ts'
import { Keys } from './keys.ts'
import { callMembers, type MemberCall } from './member.ts'

/** Options of {@link connectMemberList}. */
export interface RedisMemberListOptions extends ConnectionOptions {
  /** First part of every key, the same as the log's. Default `mr`. */
  readonly prefix?: string
  /** Time in ms, for tests and simulation. Default: the server's clock, one for all members. */
  readonly now?: () => number
}

/** The members of groups on Redis. It owns its connection; `close` ends it. */
export interface RedisMemberList extends MemberList {
  close(): Promise<void>
}

/**
 * Connects to Redis and answers the list of members.
 *
 * @throws Error when Redis cannot be reached within the connect time limit
 */
export async function connectMemberList(options: RedisMemberListOptions): Promise<RedisMemberList> {
  const redis = await openWriting(options)
  return new MembersOnRedis(redis, options)
}

class MembersOnRedis implements RedisMemberList {
  readonly #redis: Redis
  readonly #keys: Keys
  readonly #now: () => number | undefined

  constructor(redis: Redis, options: RedisMemberListOptions) {
    this.#redis = redis
    this.#keys = new Keys(options.prefix)
    this.#now = options.now ?? (() => undefined)
  }

  heartbeat(at: MemberGroup, beat: Heartbeat): Promise<MembersView> {
    return this.#call(at, { word: 'heartbeat', ...beat })
  }

  look(at: MemberGroup): Promise<MembersView> {
    return this.#call(at, { word: 'look' })
  }

  leave(at: MemberGroup, member: string): Promise<MembersView> {
    return this.#call(at, { word: 'leave', member })
  }

  assign(at: MemberGroup, made: Assignment): Promise<MembersView> {
    return this.#call(at, { word: 'assign', ...made })
  }

  close(): Promise<void> {
    return closeConnection(this.#redis)
  }

  async #call(at: MemberGroup, call: MemberCall): Promise<MembersView> {
    assertGroupName(at.group)
    try {
      return await callMembers(this.#redis, this.#keys, at, call, { now: this.#now() })
    } catch (error) {
      const failure = readFailure(error)
      // Whether a call took place is all the same: each may be repeated.
      throw failure.code === 'log.unavailable'
        ? new MillraceError('members.unavailable', undefined, { cause: error })
        : failure
    }
  }
}
