import { readFileSync } from 'node:fs'
import { accountConstraints, accounts } from '@millrace/accounts'
import { MillraceError, type Topic } from '@millrace/event'
import { connectLog, type RedisLog } from '@millrace/redis'
import { type Constraints, type Keyring, readConstraints, readKeyring } from '@millrace/uniq'
import { reached } from './log-system.ts'
import type { RunningSystem } from './running-system.ts'

/** What the commands about claims work on. */
export interface UniqSystem {
  readonly log: RedisLog
  readonly topic: Topic
  readonly constraints: Constraints
  readonly keyring: Keyring
}

const guardedTopics: readonly Topic[] = [accounts]

/** Connects, runs a command, and closes whatever happens. */
export async function withUniq<T>(
  system: RunningSystem,
  topicName: string,
  act: (uniq: UniqSystem) => Promise<T>,
): Promise<T> {
  const topic = guardedTopics.find((one) => one.name === topicName)
  if (!topic)
    throw new MillraceError(
      'topic.unknown',
      `No topic "${topicName}" has constraints; there is ${guardedTopics.map((one) => one.name).join(', ')}`,
    )
  if (system.keyring === undefined)
    throw new MillraceError(
      'settings.invalid',
      'There is no keyring: set UNIQ_KEYRING, or MILLRACE_HOME to where secrets.json lies.',
    )
  const keyring = readKeyring(system.keyring)
  const constraints =
    system.constraintsFile === undefined ? accountConstraints() : fromFile(system.constraintsFile, topic)
  const log = await reached(
    connectLog({ url: system.redisUrl, name: 'millrace-cli', commandTimeoutMs: 30_000 }),
  )
  try {
    return await act({ log, topic, constraints, keyring })
  } finally {
    await log.close()
  }
}

function fromFile(file: string, topic: Topic): Constraints {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new MillraceError('settings.invalid', `UNIQ_CONSTRAINTS: ${file} cannot be read as JSON`, { cause })
  }
  return readConstraints(json, topic)
}
