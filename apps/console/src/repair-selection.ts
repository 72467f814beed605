import { cursorOf, defined, groupNamed, groupPartition } from './repair-places.ts'
import type { RepairsApiOptions } from './repairs-options.ts'

/** What a request says of a selection. */
interface SelectionInput<Filter> {
  readonly topic: string
  readonly group: string
  readonly filter: Filter & { readonly class?: string | undefined }
  /** The `next` of the answer before. */
  readonly after?: string | undefined
  readonly limit: number
}

/** One page of a selection: where it is, what it takes, and how the next one is asked for; null: there is none. */
export function selectionPage<Filter extends object>(
  options: RepairsApiOptions,
  input: SelectionInput<Filter>,
) {
  const { class: reasonClass, ...rest } = input.filter
  const known = groupNamed(options, input.topic, input.group)
  const { partition, after, untilMs = (options.now ?? Date.now)() } = cursorOf(input.after, 0)
  return {
    at: groupPartition(known, partition),
    // What fails again while the selection goes on is younger, and is not taken a second time.
    taking: {
      filter: { untilMs, ...defined({ ...rest, reasonClass }) },
      limit: input.limit,
      ...defined({ after }),
    },
    nextAfter: (next: string | undefined): string | null => {
      if (next !== undefined) return `${partition} ${next} ${untilMs}`
      return partition + 1 < known.topic.partitions ? `${partition + 1} - - ${untilMs}` : null
    },
  }
}
