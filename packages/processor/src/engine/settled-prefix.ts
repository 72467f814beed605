import type { Delivery } from '../lane/delivery.ts'
import { encodeRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import type { ParkedLine } from './parked-line.ts'

// How much of what is settled of a key goes into one commit.

/** The record after so many of them; undefined when they change nothing. */
export function lastChange(settled: readonly Delivery[], end: number): Delivery['after'] {
  for (let at = end - 1; at >= 0; at--) {
    const after = settled[at]?.after
    if (after !== undefined) return after
  }
  return undefined
}

/** The first delivery whose record is too large. */
export function firstTooLarge(processor: Processor, settled: readonly Delivery[], end: number): number {
  for (let at = 0; at < end; at++) {
    const { after } = settled[at] as Delivery
    if (after === undefined) continue
    try {
      encodeRecord(processor, after)
    } catch {
      return at
    }
  }
  return end - 1
}

/** The longest part before `end` that tears nothing apart that went into one value. */
export function withoutTorn(settled: readonly Delivery[], end: number): number {
  const { place = 0, lane } = settled[end] ?? {}
  let at = end
  while (at > 0 && settled.slice(0, at).some((one) => one.lane === lane && one.reach >= place)) at -= 1
  return at
}

/** The shortest part that is longer than `end` or as long, and tears nothing apart. */
export function withGroup(settled: readonly Delivery[], end: number): number {
  let reach = 0
  let at = 0
  for (; at < settled.length; at++) {
    const delivery = settled[at] as Delivery
    if (at >= end && delivery.place > reach) break
    reach = Math.max(reach, delivery.reach)
  }
  return at
}

/** How many of them may be committed: the last one of a line stays until it is known which event comes next. */
export function withoutTail(settled: readonly Delivery[], end: number, line: ParkedLine): number {
  let count = 0
  for (let at = 0; at < end; at++) if (settled[at]?.origin === 'line') count += 1
  if (count === 0 || line.mayTake(count) === count) return end
  const last = settled.findLastIndex(({ origin }, at) => at < end && origin === 'line')
  return withoutTorn(settled, last)
}
