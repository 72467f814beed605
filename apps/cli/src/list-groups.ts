import type { Topic } from '@millrace/event'
import type { Tip } from '@millrace/log'
import type { GroupState } from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import { groupsNamed, type KnownGroup, type LogSystem } from './log-system.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** `millrace groups`: where each group stands. Exit code 1 where events wait and nobody has the lease. */
export async function listGroups(
  on: LogSystem,
  options: OutputOptions & { readonly topic?: string; readonly group?: string },
  terminal: Terminal,
): Promise<number> {
  const found = (
    await Promise.all(groupsNamed(options.topic, options.group).map((known) => standingsOf(on, known)))
  ).flat()
  if (options.json) terminal.out.write(`${JSON.stringify(found)}\n`)
  else {
    const rows = found.map((one) => [
      one.topic,
      one.group,
      String(one.partition),
      String(one.position),
      String(one.tip),
      String(one.lag),
      one.member ?? '-',
      one.leaseMs > 0 ? `${Math.ceil(one.leaseMs / 1_000)} s` : '-',
      String(one.deadLetters),
    ])
    terminal.out.write(
      table([['TOPIC', 'GROUP', 'PARTITION', 'SETTLED', 'TIP', 'LAG', 'MEMBER', 'LEASE', 'DEAD'], ...rows]),
    )
  }
  const abandoned = found.filter(({ lag, leaseMs }) => lag > 0 && leaseMs <= 0)
  if (abandoned.length === 0) return exitCodes.ok
  terminal.err.write(`In ${abandoned.length} partitions events wait and no member holds the lease.\n`)
  return exitCodes.findings
}

/** Where a group stands in one partition. */
interface Standing {
  readonly topic: string
  readonly group: string
  readonly partition: number
  /** Sequence number up to which everything is settled. */
  readonly position: number
  readonly tip: number
  /** Events that are not settled. */
  readonly lag: number
  /** Who holds the lease, or held it last. */
  readonly member: string | null
  /** What is left of the lease, in ms; 0 when nobody holds it. */
  readonly leaseMs: number
  readonly deadLetters: number
}

async function standingsOf(
  { log, groups }: LogSystem,
  { group, topic }: KnownGroup,
): Promise<readonly Standing[]> {
  const tips = await log.tips(topic)
  return Promise.all(
    tips.map(async (tip) =>
      standing(topic, group, tip, await groups.look({ topic, partition: tip.partition, group })),
    ),
  )
}

function standing(topic: Topic, group: string, { partition, seq }: Tip, state: GroupState): Standing {
  const { position, ahead, member, untilMs, deadLetters } = state
  return {
    topic: topic.name,
    group,
    partition,
    position: position.seq,
    tip: seq,
    // The group may have moved since the tip was read.
    lag: Math.max(0, seq - position.seq - ahead.length),
    member: member ?? null,
    leaseMs: Math.max(0, untilMs - Date.now()),
    deadLetters,
  }
}
