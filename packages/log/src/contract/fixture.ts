import { type Event, newEvent, topic, type Topic } from '@millrace/event'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AppendUnit, ClaimChange } from '../append.ts'

// A schema by hand, so that the suite needs no validator.
const anything: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'millrace-contract', validate: (value) => ({ value }) },
}

/** A topic for one test; its own name keeps tests apart on a shared server. */
export function testTopic(
  options: { partitions?: number; spread?: boolean; maxEventBytes?: number } = {},
): Topic {
  const name = `t${Math.random().toString(36).slice(2, 12)}`
  return topic(name, {
    types: { Happened: anything },
    partitions: options.partitions ?? 4,
    placement: options.spread ? 'spread' : 'together',
    ...(options.maxEventBytes === undefined ? {} : { maxEventBytes: options.maxEventBytes }),
  })
}

/** One event of a key. */
export function happened(topic: Topic, key: string, data: unknown = {}, id?: string): Event {
  return newEvent(topic, {
    type: 'Happened',
    key,
    data,
    source: '/test',
    ...(id === undefined ? {} : { id }),
  })
}

/** A unit of one event. */
export function unit(
  topic: Topic,
  key: string,
  extra: Partial<AppendUnit> & { id?: string; data?: unknown } = {},
): AppendUnit {
  const { id, data, ...rest } = extra
  return { events: [happened(topic, key, data ?? {}, id)], ...rest }
}

/** A claim change with digests under the given keyring versions. */
export function claim(
  action: ClaimChange['action'],
  value: string | null,
  constraint = 'email',
  versions: readonly string[] = ['1'],
): ClaimChange {
  const digests =
    value === null ? {} : Object.fromEntries(versions.map((version) => [version, `${version}${value}`]))
  return { constraint, field: constraint, action, digests }
}
