import type { Fence, FenceResult } from '@millrace/log'
import type { Redis } from 'ioredis'
import { Script } from './script.ts'

const fenceScript = new Script('fence.lua')

/** Where a partition's record of channels keeps the fence of this name. */
export function fenceField(name: string): string {
  return `fence:${name}`
}

/** Sets a fence in the record of channels of one partition. */
export async function setFence(
  redis: Redis,
  channels: string,
  { name, token }: Fence,
  script = fenceScript,
): Promise<FenceResult> {
  const reply = (await script.run(redis, [channels], [fenceField(name), token])) as
    | readonly ['set']
    | readonly ['refused', string]
  return reply[0] === 'set' ? { status: 'set' } : { status: 'refused', token: reply[1] }
}
