import { setTimeout as sleep } from 'node:timers/promises'
import { topic } from '@millrace/event'
import { processor, run, type Running } from '@millrace/processor'
import { connectGroupStore, connectLog, connectMemberList } from '@millrace/redis'
import { z } from 'zod'

const offers = topic('offers', { types: { made: z.object({ cents: z.int() }) }, partitions: 8 })
const leads = processor('leads', offers, { handle: () => undefined })
const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

// #region members
const log = await connectLog({ url })
const store = await connectGroupStore({ url })
const members = await connectMemberList({ url })
const start = (member: string) => run(leads, { log, store, members, member })

const ann = await start('ann')
const bob = await start('bob') // as a rule, in another process
await until(() => owned(ann) === 4 && owned(bob) === 4)
console.log(`ann has ${owned(ann)} partitions, bob has ${owned(bob)}`)
await ann.stop()
await until(() => owned(bob) === 8)
console.log(`bob has ${owned(bob)}`)
// #endregion

await bob.stop()
await Promise.all([members.close(), store.close(), log.close()])

function owned(member: Running): number {
  return member.health().partitions.filter((partition) => partition.owned).length
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20)
}

// Prints:
// ann has 4 partitions, bob has 4
// bob has 8
