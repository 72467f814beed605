import type { Clock, Topic } from '@millrace/event'
import type { DueListener } from '@millrace/retry'
import type { GroupStore } from '../group-store.ts'
import type { DueBell } from './due-bell.ts'

/** Hears of due retries of a group, on any of its members: marks them, and wakes the owner when it is in this process. */
export function dueListener(
  { topic, group }: { readonly topic: Topic; readonly group: string },
  { store, clock, bell }: { readonly store: GroupStore; readonly clock: Clock; readonly bell: DueBell },
): DueListener {
  return async (ref, by) => {
    if (ref.topic !== topic.name || ref.group !== group) return 'stale'
    const { partition, generation, key, parkNo } = ref
    const at = { topic, partition, group, ...(generation === 0 ? {} : { generation }) }
    const answer = await store.markDue(at, key, parkNo, by, clock.now())
    if (answer !== 'stale') bell.ring(partition)
    return answer
  }
}
