import { MillraceError } from '@millrace/event'
import type { Processor } from '../model/processor.ts'

/** The error of a pipeline that failed with nothing in hand: it may have let events through unhandled. */
export function brokenPipeline({ name }: Processor, cause: unknown): MillraceError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError(
    'pipeline.broken',
    `The pipeline of ${name} failed with no event in hand: ${why}`,
    {
      cause,
    },
  )
}
