import type { ClaimRegister, EventLog } from '@millrace/log'
import { whenReady, writingConnection } from '@millrace/redis'
import { Appender } from '../../packages/redis/src/append.ts'
import { writeFailure } from '../../packages/redis/src/failure.ts'
import { Gather } from '../../packages/redis/src/gather.ts'
import { Keys } from '../../packages/redis/src/keys.ts'
import { RedisClaims } from '../../packages/redis/src/redis-claims.ts'
import { Script } from '../../packages/redis/src/script.ts'

const bounds = { dedupeWindowMs: 3_600_000, dedupeIds: 1_000_000, packEvents: 100, packBytes: 64 * 1024 }

/** What Uniq needs of a log, with another append script: for planted bugs. */
export async function logWithScript(
  url: string,
  source: string,
): Promise<Pick<EventLog, 'append'> & ClaimRegister> {
  const redis = writingConnection({ url })
  await whenReady(redis)
  const keys = new Keys()
  const appender = new Appender(redis, keys, bounds, new Script('append.lua', source))
  const claims = new RedisClaims(redis, keys)
  const gather = new Gather((topic, parts) =>
    Promise.all(
      parts.map(({ partition, units }) =>
        appender.units(topic, partition, units).catch((error: unknown) => writeFailure(error)),
      ),
    ),
  )
  return {
    append: async (topic, units) => gather.append(topic, units),
    ownerOf: (topic, constraint, digests) => claims.ownerOf(topic, constraint, digests),
    liveVersions: (topic) => claims.liveVersions(topic),
  }
}
