import { MillraceError, type Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'

/**
 * Checks that events can be emitted to a topic. One with uniqueness constraints takes no channels: its events are
 * judged one by one and may be refused, when the commit that emitted them is long past and nobody is left to tell.
 * To be called when a processor starts, for every topic that it emits to; nothing is written.
 *
 * @throws MillraceError `topic.guarded`: record an effect instead, which can be refused and tried again
 */
export async function assertTakesChannels(log: Pick<EventLog, 'appendChannel'>, topic: Topic): Promise<void> {
  try {
    // A guarded log says no to whatever batch; any other one to an empty batch.
    await log.appendChannel(topic, { partition: 0, channel: 'probe', incarnation: 1, first: 1, events: [] })
  } catch (error) {
    if (!(error instanceof MillraceError && error.code === 'event.invalid')) throw error
  }
}
