import type { Topic } from '@millrace/event'
import type { GroupStore } from '@millrace/processor'
import { suggestions, supply } from '@millrace-app/restocking/topics'

/** The groups of restocking. */
export const groupsOfRun: readonly (readonly [Topic, string])[] = [
  [supply, 'restocking'],
  [suggestions, 'restocking-view'],
]

/** Events that the groups have not done, wherever they wait, and what has not gone out yet. */
export async function openEvents(groups: Pick<GroupStore, 'audit'>): Promise<number> {
  let open = 0
  for (const [topic, group] of groupsOfRun)
    for (let partition = 0; partition < topic.partitions; partition++) {
      const { unsettled, counters } = await groups.audit({ topic, group, partition })
      const { parked, lined, deferred, outbox, effects } = counters
      open += unsettled + parked + lined + deferred + outbox.written - outbox.forwarded
      open += effects.pending + effects.parked
    }
  return open
}

/** Where something is open, for whoever wants to know why. */
export async function restlessness(groups: Pick<GroupStore, 'audit' | 'look'>): Promise<readonly string[]> {
  const lines: string[] = []
  for (const [topic, group] of groupsOfRun)
    for (let partition = 0; partition < topic.partitions; partition++) {
      const at = { topic, group, partition }
      const { unsettled, counters } = await groups.audit(at)
      const { parked, lined, deferred, outbox } = counters
      if (unsettled + parked + lined + deferred + outbox.written - outbox.forwarded === 0) continue
      const { member, untilMs } = await groups.look(at)
      const left = `${untilMs - Date.now()} ms left`
      lines.push(`${group}/${partition} of ${member}, ${left}: ${JSON.stringify({ unsettled, ...counters })}`)
    }
  return lines
}
