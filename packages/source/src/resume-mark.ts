import { MillraceError } from '@millrace/event'

/**
 * Where a pipeline stands in one partition: everything of transactions before `position` is in, and of the one at
 * `position` the first `index` changes.
 */
export interface ResumeMark {
  readonly position: string
  readonly index: number
}

/** A mark as it lies beside the channel's number: `<position>/<index>`. */
export function formatMark({ position, index }: ResumeMark): string {
  return `${position}/${index}`
}

/** Reads what {@link formatMark} wrote. @throws MillraceError `stream.behind` for anything else */
export function parseMark(text: string): ResumeMark {
  const match = /^(.+)\/(\d{1,15})$/.exec(text)
  if (!match) throw new MillraceError('stream.behind', `"${text}" is no mark of a change stream`)
  return { position: match[1] as string, index: Number(match[2]) }
}

/** Below 0 when `a` is before `b`. */
export function compareMarks(a: ResumeMark, b: ResumeMark): number {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1
  return a.index - b.index
}
