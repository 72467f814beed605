import type { LaneCore } from './lane-core.ts'
import type { Load } from './load.ts'
import { unheld } from './pipeline-fault.ts'

/**
 * What runs at this moment. JavaScript does one thing at a time, so these two stand for the whole program; whoever
 * sets them puts the former ones back before it returns.
 */
export const now: {
  /** The load of the value that is being handed on. */
  load: Load | undefined
  /** Where it is being handed on. */
  place: Place | undefined
} = { load: undefined, place: undefined }

/** Where in a lane an operator stands: in its trunk, or in an inner stream that one of our operators has opened. */
export class Place {
  readonly lane: LaneCore
  /** The load that an inner stream was opened for, which its operator holds until the stream is over. */
  readonly inner: Load | undefined

  constructor(lane: LaneCore, inner?: Load) {
    this.lane = lane
    this.inner = inner
  }

  /**
   * The load of the value that has just arrived at an operator here.
   *
   * @throws MillraceError `pipeline.unheld` when nobody knows; the lane has failed then
   */
  load(operator: string): Load {
    const { load } = now
    if (load !== undefined && load.delivery.lane === this.lane) return load
    // A value of an inner stream may come from anywhere: it belongs to what the stream was opened for.
    if (this.inner !== undefined && this.inner.holds > 0) return this.inner
    throw this.lane.fault(unheld(operator))
  }
}
