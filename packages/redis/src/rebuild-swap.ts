import type { Topic } from '@millrace/event'
import type { Contested, SwapResult } from '@millrace/log'
import type { Redis } from 'ioredis'
import { parseClaimName } from './claim-names.ts'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const swapScript = new Script('rebuild-swap.lua')

/** Puts the rebuilt claims in the place of the live ones, if they may be. */
export async function rebuildSwap(
  redis: Redis,
  keys: Keys,
  topic: Topic,
  script = swapScript,
): Promise<SwapResult> {
  const names = keys.claims(topic)
  const logs = Array.from(
    { length: topic.partitions },
    (_, partition) => keys.partition(topic, partition).log,
  )
  const { claims, owners, claimsMeta, rebuild, claimsNext, ownersNext, contested } = names
  const reply = (await script.run(
    redis,
    [claims, owners, claimsMeta, rebuild, claimsNext, ownersNext, contested, ...logs],
    [],
  )) as string[]
  const [status] = reply
  if (status === 'swapped' || status === 'behind' || status === 'none') return { status }
  const found: Contested[] = []
  for (let at = 1; at < reply.length; at += 3) {
    const { constraint, rest } = parseClaimName(reply[at] ?? '')
    found.push({
      constraint,
      digest: rest,
      keys: [reply[at + 1] ?? '', ...(JSON.parse(reply[at + 2] ?? '[]') as string[])],
    })
  }
  return { status: 'contested', contested: found }
}
