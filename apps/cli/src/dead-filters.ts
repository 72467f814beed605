import { type Command, InvalidArgumentError } from 'commander'
import type { DeadFilter } from '@millrace/processor'
import type { Place } from './group-partitions.ts'
import { duration, partitionNumber } from './option-values.ts'

/** Which dead letters and held keys a command is about, as options say it. */
export interface FilterOptions extends Place {
  readonly class?: string
  readonly type?: string
  readonly key?: string
  readonly status?: DeadFilter['status']
  /** Given up at least so many ms ago. */
  readonly olderThan?: number
  /** Given up at most so many ms ago. */
  readonly newerThan?: number
}

/** Adds the options that choose among dead letters and held keys. */
export function withFilters(command: Command): Command {
  return command
    .option('--topic <name>', 'of this topic alone')
    .option('--group <name>', 'of this group alone')
    .option('--partition <n>', 'of this partition alone', partitionNumber)
    .option('--class <fingerprint>', 'of this class of reasons, see millrace dead classes')
    .option('--type <name>', 'of this event type')
    .option('--key <id>', 'of this key')
    .option('--older-than <time>', 'given up at least so long ago: 30s, 15m, 2h, 3d', duration)
    .option('--newer-than <time>', 'given up at most so long ago', duration)
}

/** What the store is asked for. */
export function filterOf(options: FilterOptions, nowMs: number): DeadFilter {
  const { status, type, key, olderThan, newerThan } = options
  return {
    ...(status === undefined ? {} : { status }),
    ...(options.class === undefined ? {} : { reasonClass: options.class }),
    ...(type === undefined ? {} : { type }),
    ...(key === undefined ? {} : { key }),
    ...(olderThan === undefined ? {} : { untilMs: nowMs - olderThan }),
    ...(newerThan === undefined ? {} : { fromMs: nowMs - newerThan }),
  }
}

export function statusWord(text: string): 'dead' | 'held' {
  if (text !== 'dead' && text !== 'held') throw new InvalidArgumentError('The status is dead or held.')
  return text
}
