import { type Command, InvalidArgumentError } from 'commander'
import type { EffectFilter, OpenEffect } from '@millrace/processor'
import type { Place } from './group-partitions.ts'
import { duration, partitionNumber } from './option-values.ts'

/** Which effects a command is about, as options say it. */
export interface EffectFilterOptions extends Place {
  readonly name?: string
  readonly key?: string
  readonly class?: string
  readonly olderThan?: number
  readonly newerThan?: number
}

/** Adds the options that say where effects are looked for. */
export function withEffectPlaces(command: Command): Command {
  return command
    .option('--topic <name>', 'of this topic alone')
    .option('--group <name>', 'of this group alone')
    .option('--partition <n>', 'of this partition alone', partitionNumber)
}

/** Adds the options that choose among them. */
export function withEffectFilters(command: Command): Command {
  return withEffectPlaces(command)
    .option('--name <effect>', 'of this effect')
    .option('--key <id>', 'of this key')
    .option('--class <fingerprint>', 'of this class of reasons, as ls shows it')
    .option('--older-than <time>', 'given up at least so long ago: 30s, 15m, 2h, 3d', duration)
    .option('--newer-than <time>', 'given up at most so long ago', duration)
}

/** What the store is asked for. */
export function effectFilterOf(options: EffectFilterOptions, nowMs: number): EffectFilter {
  const { name, key, olderThan, newerThan } = options
  return {
    ...(name === undefined ? {} : { name }),
    ...(key === undefined ? {} : { key }),
    ...(options.class === undefined ? {} : { reasonClass: options.class }),
    ...(olderThan === undefined ? {} : { untilMs: nowMs - olderThan }),
    ...(newerThan === undefined ? {} : { fromMs: nowMs - newerThan }),
  }
}

export function openStatus(text: string): OpenEffect {
  if (text !== 'pending' && text !== 'parked' && text !== 'dead')
    throw new InvalidArgumentError('The status is pending, parked or dead.')
  return text
}
