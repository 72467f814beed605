import type { Processor } from '../model/processor.ts'
import { HandlerStage } from './handler-stage.ts'
import { LaneCore } from './lane-core.ts'
import type { Lane, LaneOptions } from './lane.ts'
import { PipelineStage } from './pipeline-stage.ts'

/**
 * Makes the lane of a key: subscribes the pipeline, once. Calls no hook; what goes wrong in the pipeline's own code
 * is told with the first delivery.
 */
export function createLane(processor: Processor, options: LaneOptions): Lane {
  const { program } = processor
  return new LaneCore(processor, options, (lane) =>
    program.kind === 'pipeline'
      ? new PipelineStage(lane, program.build)
      : new HandlerStage(lane, program.handle),
  )
}
