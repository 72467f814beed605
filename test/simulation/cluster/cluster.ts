import { type ErrorCode, MillraceError, partitionOfKey } from '@millrace/event'
import type { ChannelBatch, EventLog } from '@millrace/log'
import {
  type Commit,
  createMemoryMemberList,
  type EffectContext,
  type GroupPartition,
  type GroupStore,
  type HandlerContext,
  type MemberList,
} from '@millrace/processor'
import { type Act, askingOf, type Folded } from '../act.ts'
import { Judge } from '../judge.ts'
import type { Reading } from '../reading.ts'
import { Seeded } from '../seeded.ts'
import { type SimulatedServer, watched } from '../simulated-server.ts'
import { type Story, Violation } from '../story.ts'
import type { Plan } from './plan.ts'
import { askedEvent, type Origin, sourceOf } from './system.ts'
import { Wire } from './wire.ts'

export const leaseMs = 1_000

/** An engine emits under derived ids: what they come from stands in the data. A wait names its event. */
const engineReading: Reading = {
  causeOf: ({ data }) => {
    const { key, cause } = data as Origin
    return `${key}:${cause}`
  },
  waits: () => undefined,
  namesEffects: false,
}

/** Everything that the members of one story share: the server, seen by its judges, and the wire between. */
export class Cluster {
  readonly plan: Plan
  readonly wire = new Wire(Date.parse('2026-01-01T00:00:00Z'))
  readonly story: Story
  readonly server: SimulatedServer
  readonly log: EventLog
  readonly store: GroupStore
  readonly members: MemberList
  readonly source: ReturnType<typeof sourceOf>
  readonly judges: readonly Judge[]
  /** Effects that were carried out, perhaps more than once. */
  readonly performed = new Set<string>()
  /** No harm is done any more. */
  calm = false
  /** What somebody came upon who could not end the story. */
  violation: Violation | undefined
  readonly #seqs = new Map<string, number>()
  readonly #failed = new Map<string, number>()
  #events = 0

  constructor(plan: Plan, server: SimulatedServer, story: Story) {
    this.plan = plan
    this.server = server
    this.story = story
    this.source = sourceOf(plan.partitions)
    this.judges = Array.from({ length: plan.partitions }, () => new Judge(engineReading))
    this.members = createMemoryMemberList({ clock: { now: () => this.wire.nowMs } })
    this.log = this.#watchedLog(server.log)
    this.store = this.#watchedStore(server.store)
    server.setTime(this.wire.nowMs)
  }

  passTime(ms: number): void {
    this.wire.nowMs += ms
    this.server.setTime(this.wire.nowMs)
  }

  at(partition: number): GroupPartition {
    return { topic: this.source, partition, group: 'members' }
  }

  judgeOf(partition: number): Judge {
    const judge = this.judges[partition]
    if (!judge) throw new TypeError(`There is no partition ${partition}`)
    return judge
  }

  async append(key: string, act: Act): Promise<void> {
    this.#events += 1
    const event = askedEvent(this.source, `event-${this.#events}`, key, act, this.wire.nowMs)
    const [result] = await this.server.log.append(this.source, [{ events: [event] }])
    if (result?.status !== 'appended') throw new TypeError('The source takes every event')
    for (const position of result.positions) {
      this.#seqs.set(event.id, position.seq)
      this.judgeOf(position.partition).appended(askingOf({ event, position }))
      this.story.tell(`${key} gets event ${position.partition}/${position.seq}: ${JSON.stringify(act)}`)
    }
    this.wire.events += 1
  }

  seqOf(eventId: string): number {
    const seq = this.#seqs.get(eventId)
    if (seq === undefined) throw new TypeError(`${eventId} was never appended`)
    return seq
  }

  /** Whether an event is to fail now: so many times in the story, whoever handles it. */
  fails(eventId: string, times: number): boolean {
    const before = this.#failed.get(eventId) ?? 0
    this.#failed.set(eventId, before + 1)
    return before < times
  }

  performs({ idempotencyKey, key }: EffectContext): void {
    const { effects } = this.judgeOf(partitionOfKey(this.source, key))
    this.note(
      'guarantee 5, exactly once',
      effects.has(idempotencyKey),
      `effect ${idempotencyKey} was carried out before it was recorded`,
    )
    this.performed.add(idempotencyKey)
  }

  /** Remembers a violation that is seen where an exception would be taken for a failure of the handler. */
  note(promise: string, holds: boolean, message: string): void {
    if (!holds) this.violation ??= new Violation(promise, message)
  }

  /** A handler starts: its event is not in the state that it sees. */
  started({ position, state }: HandlerContext<Folded>): void {
    const again = state.handled.includes(String(position.seq))
    this.note('guarantee 5, exactly once', !again, `event ${position.seq} meets a state that has it already`)
  }

  /** Some commits do not reach their target: what they emit goes through the outbox. The same one never does or always. */
  #reaching({ partition }: GroupPartition, commit: Commit): Commit {
    const { seed, atOnce } = this.plan
    if (
      !commit.outbox?.some(({ target }) => target) ||
      new Seeded(seed + commit.n * 7 + partition).chance(atOnce)
    )
      return commit
    return { ...commit, outbox: commit.outbox.map(({ target: _, ...draft }) => draft) }
  }

  #watchedLog(log: EventLog): EventLog {
    return watched(log, {
      appendChannel: async (to, batch) => {
        const result = await log.appendChannel(to, batch)
        this.judgeOf(partitionOf(batch)).channels.appended(batch, result)
        return result
      },
    })
  }

  #watchedStore(store: GroupStore): GroupStore {
    const judgeOf = ({ partition }: GroupPartition) => this.judgeOf(partition)
    return watched(store, {
      acquire: async (at, member, ms, start) => {
        const lease = await store.acquire(at, member, ms, start)
        judgeOf(at).acquired(member, ms, lease, this.wire.nowMs)
        return lease
      },
      renew: async (at, lease, ms) => {
        const renewal = await store.renew(at, lease, ms)
        judgeOf(at).renewed(lease.token, lease.n, renewal, this.wire.nowMs + ms)
        return renewal
      },
      release: async (at, token) => {
        const result = await store.release(at, token)
        judgeOf(at).released(token, result)
        return result
      },
      commit: async (at, commit) => {
        try {
          const result = await store.commit(at, this.#reaching(at, commit))
          judgeOf(at).committed(commit, result)
          return result
        } catch (error) {
          // A member that has slept may have put together what it knew before with what it has read since.
          throw commit.token === judgeOf(at).token ? refused(error) : error
        }
      },
      confirmEffects: async (at, token, changes) => {
        const result = await store.confirmEffects(at, token, changes)
        judgeOf(at).confirmed(token, changes, result)
        return result
      },
      rule: async (at, request) => {
        const result = await store.rule(at, request)
        judgeOf(at).ruled(request, result)
        return result
      },
      ruleEffect: async (at, request) => {
        const result = await store.ruleEffect(at, request)
        judgeOf(at).effects.ruled(request, result)
        return result
      },
    })
  }
}

/** An engine never says what contradicts itself, or does not fit what is stored. */
function refused(error: unknown): unknown {
  const said =
    error instanceof TypeError || (error instanceof MillraceError && error.code === 'commit.refused')
  return said
    ? new Violation('an engine knows what is stored', `a commit was refused: ${error.message}`)
    : error
}

function partitionOf({ channel }: ChannelBatch): number {
  return Number(channel.split('.')[1])
}

const writes = new Set([
  'acquire',
  'renew',
  'commit',
  'release',
  'confirmEffects',
  'forwarded',
  'markDue',
  'rule',
])

/** What a caller of the log or the store learns when the answer is lost. */
export function lostCode(name: string): ErrorCode {
  if (name === 'appendChannel') return 'append.unknown'
  return writes.has(name) ? 'commit.unknown' : 'log.unavailable'
}
