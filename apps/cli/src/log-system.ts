import { accounts } from '@millrace/accounts'
import { offers, sales } from '@millrace-app/leads/topics'
import { suggestions, supply } from '@millrace-app/restocking/topics'
import { MillraceError, type Topic } from '@millrace/event'
import type { GroupStore } from '@millrace/processor'
import { connectGroupStore, connectLog, type RedisLog } from '@millrace/redis'
import type { RunningSystem } from './running-system.ts'

/** What the commands about the log work on. */
export interface LogSystem {
  readonly log: RedisLog
  readonly groups: GroupStore
}

/** A group of the services, and the topic that it follows. */
export interface KnownGroup {
  readonly group: string
  readonly topic: Topic
}

/** The topics of the services. */
export const knownTopics: readonly Topic[] = [accounts, offers, sales, supply, suggestions]

/** The groups of the services. */
const knownGroups: readonly KnownGroup[] = [
  { group: 'mail', topic: accounts },
  { group: 'user-query', topic: accounts },
  { group: 'leads', topic: offers },
  { group: 'legacy-feed', topic: offers },
  { group: 'leads-view', topic: sales },
  { group: 'restocking', topic: supply },
  { group: 'restocking-view', topic: suggestions },
]

/**
 * The topic of this name.
 *
 * @throws MillraceError `topic.unknown`
 */
export function topicNamed(name: string): Topic {
  const topic = knownTopics.find((one) => one.name === name)
  if (topic) return topic
  const names = knownTopics.map((one) => one.name).join(', ')
  throw new MillraceError('topic.unknown', `There is no topic "${name}"; there is ${names}`)
}

/**
 * The known groups of a topic, or the one of these names.
 *
 * @throws MillraceError `topic.unknown`, `group.unknown`
 */
export function groupsNamed(
  topicName: string | undefined,
  groupName: string | undefined,
): readonly KnownGroup[] {
  const topic = topicName === undefined ? undefined : topicNamed(topicName)
  const found = knownGroups.filter(
    (one) => (topic ?? one.topic) === one.topic && (groupName ?? one.group) === one.group,
  )
  if (found.length > 0) return found
  const names = knownGroups.map(({ group }) => group).join(', ')
  throw new MillraceError('group.unknown', `There is no group "${groupName}"; there are ${names}`)
}

/** Connects, runs a command, and closes whatever happens. */
export async function withLog<T>(system: RunningSystem, act: (on: LogSystem) => Promise<T>): Promise<T> {
  const log = await reached(
    connectLog({ url: system.redisUrl, name: 'millrace-cli', commandTimeoutMs: 30_000 }),
  )
  try {
    const groups = await reached(connectGroupStore({ url: system.redisUrl, name: 'millrace-cli' }))
    try {
      return await act({ log, groups })
    } finally {
      await groups.close()
    }
  } finally {
    await log.close()
  }
}

/** Says what a failed connection means. @throws MillraceError `settings.invalid`, `log.unavailable` */
export async function reached<T>(connecting: Promise<T>): Promise<T> {
  try {
    return await connecting
  } catch (cause) {
    // The address itself is wrong, and it is not told there: it may hold a password.
    if (cause instanceof TypeError) throw new MillraceError('settings.invalid', cause.message, { cause })
    throw new MillraceError('log.unavailable', 'Redis cannot be reached. Is the system running?', { cause })
  }
}
