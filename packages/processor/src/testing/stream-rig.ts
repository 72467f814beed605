import { type EventOf, topic } from '@millrace/event'
import { type Observable, Subject } from 'rxjs'
import { z } from 'zod'
import { processor } from '../model/processor.ts'
import { LaneRig } from './lane-rig.ts'

export const things = topic('things', { types: { Made: z.object({ n: z.int() }) } })
export type Made = EventOf<typeof things>

/** A lane with this pipeline, and the streams that it has opened, by the number of the event they were opened for. */
export function rigOf(
  pipeline: (lane: Observable<Made>, open: (event: Made) => Observable<string>) => Observable<unknown>,
) {
  const inner = new Map<number, Subject<string>>()
  const open = (event: Made) => {
    const stream = new Subject<string>()
    inner.set(event.data.n, stream)
    return stream
  }
  const rig = new LaneRig(processor('rig', things, { pipeline: (lane) => pipeline(lane, open) }))
  let n = 0
  return {
    told: rig.told,
    time: rig.time,
    lane: rig.lane,
    errors: rig.errors,
    /** Feeds so many events. */
    feed: (count = 1) => {
      for (let at = 0; at < count && !rig.lane.over; at++) rig.feed('Made', { n: ++n })
    },
    inner: (of: number) => {
      const stream = inner.get(of)
      if (stream === undefined) throw new Error(`No stream was opened for ${of}`)
      return stream
    },
    opened: () => [...inner.keys()],
  }
}
