import type { Clock } from '@millrace/event'
import type { EventLog, Page } from '@millrace/log'
import type { GroupPartition, Lease, PageOptions } from '../group-store.ts'
import type { MemoryGroup } from '../memory-group.ts'
import type { MemoryGroups } from '../memory-groups.ts'
import type { StoredState } from '../stored-state.ts'
import { StoriesInMemory } from '../story/stories-in-memory.ts'
import {
  assertBuilding,
  type Building,
  type FreezeResult,
  type Generations,
  mostOwnFirings,
  type StateOfKey,
  type SwitchResult,
} from './generations.ts'

/** What the parts of a group store in memory work with. */
export interface MemoryGiven {
  readonly groups: MemoryGroups
  readonly log: Pick<EventLog, 'tips'>
  readonly clock: Clock
  readonly nonce: () => string
}

/** The part of a group store in memory that knows of generations. */
export class MemoryGenerations extends StoriesInMemory implements Generations {
  readonly #given: MemoryGiven

  constructor(given: MemoryGiven) {
    super(given.groups, given.clock)
    this.#given = given
  }

  async freeze(
    at: GroupPartition,
    building: Building,
    request: { readonly member: string; readonly leaseMs: number; readonly most: number },
  ): Promise<FreezeResult> {
    const { groups, log, clock, nonce } = this.#given
    const tip = (await log.tips(at.topic))[at.partition]?.seq ?? 0
    const { member, leaseMs, most } = request
    const given = { member, untilMs: clock.now() + leaseMs, most, nonce: nonce(), tip }
    return freezeInMemory(groups.of(at), groups.of(builtAt(at, building)), building, given)
  }

  async switchGeneration(
    at: GroupPartition,
    live: Pick<Lease, 'token' | 'n'>,
    building: Building,
  ): Promise<SwitchResult> {
    const { groups } = this.#given
    const built = builtAt(at, building)
    const status = switchInMemory(groups.of(at), groups.of(built), live, building)
    if (status === 'switched') groups.remove(built)
    return { status }
  }

  async dropGeneration(at: GroupPartition): Promise<'dropped' | 'held'> {
    assertBuilding(at)
    const { groups, clock } = this.#given
    if (clock.now() < groups.of(at).untilMs) return 'held'
    groups.remove(at)
    return 'dropped'
  }

  async statesPage(at: GroupPartition, options: PageOptions = {}): Promise<Page<StateOfKey>> {
    return statesInMemory(this.#given.groups.of(at), options)
  }
}

function builtAt(at: GroupPartition, building: Building): GroupPartition {
  assertBuilding(building)
  return { ...at, generation: building.generation }
}

function freezeInMemory(
  live: MemoryGroup,
  built: MemoryGroup,
  building: Building,
  given: {
    readonly member: string
    readonly untilMs: number
    readonly most: number
    readonly nonce: string
    readonly tip: number
  },
): FreezeResult {
  if (!built.isHeldBy(building.token) || built.n !== building.n) return { status: 'fenced' }
  if (live.position.seq - built.position.seq > given.most)
    return { status: 'behind', liveSeq: live.position.seq }
  live.counter += 1
  live.token = `${live.counter}-${given.nonce}`
  live.member = given.member
  live.untilMs = given.untilMs
  const { token, position, n, ahead } = live
  return { status: 'frozen', lease: { token, position, n, ahead, tip: given.tip } }
}

function switchInMemory(
  live: MemoryGroup,
  built: MemoryGroup,
  lease: Pick<Lease, 'token' | 'n'>,
  building: Building,
): SwitchResult['status'] {
  if (live.generation >= building.generation) return 'already'
  if (!live.isHeldBy(lease.token) || live.n !== lease.n) return 'fenced'
  if (!built.isHeldBy(building.token) || built.n !== building.n) return 'fenced'
  const [a, b] = [live.position, built.position]
  if (a.seq !== b.seq || a.id !== b.id || live.ahead.join() !== built.ahead.join()) return 'apart'
  if (built.journal.length > mostOwnFirings) return 'crowded'
  replaceAll(live.states, built.states)
  replaceAll(live.timers, built.timers)
  const own = built.journal.toSorted((a, b) => a.afterSeq - b.afterSeq || a.no - b.no)
  for (const firing of own) {
    live.fired += 1
    live.journal.push({ ...firing, no: live.fired })
  }
  live.generation = building.generation
  live.token = ''
  live.untilMs = 0
  return 'switched'
}

function statesInMemory(group: MemoryGroup, { after = '0', limit = 500 }: PageOptions): Page<StateOfKey> {
  const end = Number(after) + limit
  const items = [...group.states].slice(Number(after), end).map(([key, text]) => {
    const { version, seq, state, ops } = JSON.parse(text) as StoredState
    return { key, state: { version, seq, state, ops } }
  })
  return { items, next: end < group.states.size ? String(end) : undefined }
}

function replaceAll<K, V>(into: Map<K, V>, from: ReadonlyMap<K, V>): void {
  into.clear()
  for (const [key, value] of from) into.set(key, value)
}
