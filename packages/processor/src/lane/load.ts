import type { Delivery } from './delivery.ts'

/**
 * What a value in a lane carries along: the delivery that it comes from, or all that went into it. Whoever keeps the
 * value holds its load; what is held is not settled.
 */
export interface Load {
  holds: number
  /** What outcomes are recorded on. */
  readonly delivery: Delivery
}

/**
 * The load of a value that was made of several. It has holds of its own, and only the last release lets its members
 * go. With a hold on the last member alone, the others would be settled while the value is still under way, and a
 * crash would lose their part in it; with the last member holding the others, two buffers could wait for each other.
 */
export class Batch implements Load {
  holds = 1
  readonly delivery: Delivery
  readonly members: readonly Load[]

  /** Takes the members' holds over. Outcomes go to the last delivery in the order of the lane. */
  constructor(members: readonly [Load, ...Load[]]) {
    this.members = members
    let last = members[0].delivery
    for (const { delivery } of members) if (delivery.place > last.place) last = delivery
    this.delivery = last
    tie(this, last.place)
  }
}

// What went into one value is committed together: after a crash, half of it would be counted twice or never.
function tie(load: Load, place: number): void {
  if (load instanceof Batch) for (const member of load.members) tie(member, place)
  load.delivery.reach = Math.max(load.delivery.reach, place)
}
