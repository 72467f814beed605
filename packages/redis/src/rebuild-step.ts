import type { Topic } from '@millrace/event'
import type { RebuildStep } from '@millrace/log'
import type { Redis } from 'ioredis'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const script = new Script('rebuild-step.lua')

/** Adds a step to the rebuild of a topic's claims. */
export async function rebuildStep(
  redis: Redis,
  keys: Keys,
  topic: Topic,
  versions: readonly string[],
  step: RebuildStep,
): Promise<'added' | 'stale'> {
  const names = keys.claims(topic)
  const entries = step.entries.map((entry) => [
    entry.constraint,
    entry.key,
    entry.digests?.join(' ') ?? false,
  ])
  const reply = await script.run(
    redis,
    [names.rebuild, names.claimsNext, names.ownersNext, names.contested],
    [versions.join(','), step.partition, step.from, step.to, JSON.stringify(entries)],
  )
  return reply === 'added' ? 'added' : 'stale'
}
