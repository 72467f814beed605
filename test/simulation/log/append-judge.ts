import { type Event, partitionOfKey, type Topic } from '@millrace/event'
import type { AppendResult, AppendUnit } from '@millrace/log'
import { demand } from '../story.ts'
import { ClaimJudge } from './claim-judge.ts'
import type { HeldEvent, HeldLog } from './held-log.ts'
import { windowMs } from './log-server.ts'

const whole = 'guarantee 1, append is one atomic step'
const idempotent = 'guarantee 2, append is idempotent'

/** Holds what became of units against what was appended before. */
export class AppendJudge {
  readonly claims = new ClaimJudge()
  readonly #held: HeldLog

  constructor(held: HeldLog) {
    this.#held = held
  }

  /** Those of one partition are judged in their order, and partitions in the order in which they come. */
  answered(
    topic: Topic,
    units: readonly AppendUnit[],
    results: readonly AppendResult[],
    nowMs: number,
  ): void {
    const parts = new Map<number, [AppendUnit, AppendResult][]>()
    for (const [at, unit] of units.entries()) {
      const partition = partitionOfKey(topic, keyOf(unit))
      const result = results[at]
      demand(result !== undefined, whole, () => `unit ${at} of ${units.length} has no answer`)
      parts.set(partition, [...(parts.get(partition) ?? []), [unit, result]])
    }
    for (const [partition, all] of parts)
      for (const [unit, result] of all) this.#judge(topic, partition, unit, result, nowMs)
  }

  #judge(topic: Topic, partition: number, unit: AppendUnit, result: AppendResult, nowMs: number): void {
    const key = keyOf(unit)
    const known = unit.events.map((event) => this.#held.known(topic, event))
    const end = result.status === 'refused' ? result.error.code : result.status
    switch (result.status) {
      case 'appended': {
        this.#fresh(topic, partition, known)
        this.#add(topic, partition, unit, result, nowMs)
        return
      }
      case 'duplicate': {
        const first = known.map((one) => one?.id).join()
        const said = result.positions.map(({ id }) => id).join()
        demand(said === first, idempotent, () => `known at ${first}, said to be at ${said}`)
        demand(!otherFingerprint(unit, known), idempotent, () => `another request is taken for ${first}`)
        return
      }
      case 'unchanged': {
        this.claims.unchanged(key, unit)
        const last = this.#held.ofKey(topic, key).at(-1)
        demand(last?.id === result.position.id, whole, () => `${key} is as at ${result.position.id}`)
        return
      }
      case 'refused':
        this.#refused(topic, partition, unit, known, end, nowMs)
    }
  }

  /** None of its events was on the log: as long as that is to be known. */
  #fresh(topic: Topic, partition: number, known: readonly (HeldEvent | undefined)[]): void {
    for (const one of known)
      demand(
        !this.#remembers(topic, partition, one),
        idempotent,
        () => `event ${one?.event.id} is appended again, and is at ${one?.id}`,
      )
  }

  /** Whether an event has to be known still. */
  #remembers({ name }: Topic, partition: number, one: HeldEvent | undefined): boolean {
    if (one === undefined) return false
    return one.claims || this.#held.latestMs(name, partition) - one.atMs < windowMs
  }

  #add(
    topic: Topic,
    partition: number,
    unit: AppendUnit,
    result: AppendResult & { readonly status: 'appended' },
    nowMs: number,
  ): void {
    const key = keyOf(unit)
    const version = this.#held.ofKey(topic, key).length
    const { expectedVersion = version, fingerprint, claims = [] } = unit
    demand(expectedVersion === version, whole, () => `${key} has ${version} events, not ${expectedVersion}`)
    demand(
      result.positions.length === unit.events.length && result.version === version + unit.events.length,
      whole,
      () => `${unit.events.length} events of ${key} make it ${result.version} from ${version}`,
    )
    this.claims.appended(key, unit, nowMs)
    const atMs = this.#held.clock(topic, partition, nowMs)
    for (const [at, event] of unit.events.entries())
      this.#held.add(topic, partition, event, result.positions[at], {
        ...{ fingerprint, claims: claims.length > 0, atMs },
      })
  }

  #refused(
    topic: Topic,
    partition: number,
    unit: AppendUnit,
    known: readonly (HeldEvent | undefined)[],
    code: string,
    nowMs: number,
  ): void {
    const key = keyOf(unit)
    const version = this.#held.ofKey(topic, key).length
    switch (code) {
      case 'append.version':
        return demand(unit.expectedVersion !== version, whole, () => `${key} is refused at ${version}`)
      case 'append.partial-duplicate':
        return demand(
          known.some((one) => one !== undefined) &&
            !known.every((one) => this.#remembers(topic, partition, one)),
          idempotent,
          () => `${unit.events.map(({ id }) => id).join()} are said to be known in part`,
        )
      case 'append.fingerprint':
        return demand(otherFingerprint(unit, known), idempotent, () => `a repeat of ${key} is refused`)
      default:
        return this.claims.refused(key, unit, code, nowMs)
    }
  }
}

function otherFingerprint({ fingerprint }: AppendUnit, known: readonly (HeldEvent | undefined)[]): boolean {
  return known.some(
    (one) => fingerprint !== undefined && one?.fingerprint !== undefined && one.fingerprint !== fingerprint,
  )
}

function keyOf({ events }: AppendUnit): string {
  return (events[0] as Event).subject
}
