import { formatPosition, recordedMsOf, type Tip } from '@millrace/log'
import { exitCodes } from './exit-codes.ts'
import { knownTopics, type LogSystem } from './log-system.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** `millrace topics`: the partitions of every topic and how far they go. */
export async function listTopics(on: LogSystem, options: OutputOptions, terminal: Terminal): Promise<number> {
  const topics = await Promise.all(
    knownTopics.map(async (topic) => ({
      topic: topic.name,
      placement: topic.placement,
      partitions: topic.partitions,
      tips: await on.log.tips(topic),
    })),
  )
  if (options.json) terminal.out.write(`${JSON.stringify(topics)}\n`)
  else {
    const rows = topics.flatMap(({ topic, placement, tips }) =>
      tips.map((tip) => [
        topic,
        placement,
        String(tip.partition),
        String(tip.seq),
        timeOf(tip),
        tipText(topic, tip),
      ]),
    )
    terminal.out.write(
      table([['TOPIC', 'PLACEMENT', 'PARTITION', 'EVENTS', 'LAST', 'POSITION OF THE LAST'], ...rows]),
    )
  }
  return exitCodes.ok
}

function tipText(topic: string, { partition, id, seq }: Tip): string {
  return seq === 0 ? '-' : formatPosition({ topic, partition, id, seq })
}

function timeOf({ id, seq }: Tip): string {
  return seq === 0 ? '-' : new Date(recordedMsOf(id)).toISOString()
}
