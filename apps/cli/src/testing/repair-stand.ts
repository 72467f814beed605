import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { accounts } from '@millrace/accounts'
import { partitionOfKey } from '@millrace/event'
import type { GroupPartition } from '@millrace/processor'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { Redis } from 'ioredis'
import { type Ended, millrace } from './millrace.ts'

/** The key that the tests of repairs are about. */
export const key = 'a-1'

/** Where the group `mail` has it. */
export const at: GroupPartition = { topic: accounts, group: 'mail', partition: partitionOfKey(accounts, key) }

/** What every repair is told by these tests. */
export const said = '--actor ada --reason mended'

/** A log and groups on a server, a place for files, and commands against it. */
export interface RepairStand {
  readonly url: string
  readonly log: RedisLog
  readonly groups: RedisGroupStore
  readonly raw: Redis
  /** A directory for files of the test. */
  readonly home: string
  on(line: string, input?: string): Promise<Ended>
  close(): Promise<void>
}

/** @param server Nobody else uses it; it is stopped with the stand. */
export async function openRepairStand(server: {
  readonly url: string
  stop(): Promise<void>
}): Promise<RepairStand> {
  const { url } = server
  const log = await connectLog({ url })
  const groups = await connectGroupStore({ url })
  const raw = new Redis(url)
  const home = mkdtempSync(path.join(tmpdir(), 'millrace-repairs-'))
  return {
    ...{ url, log, groups, raw, home },
    on: (line, input) => millrace(line, { REDIS_URL: url }, input === undefined ? {} : { input }),
    close: async () => {
      raw.disconnect()
      await groups.close()
      await log.close()
      await server.stop()
      rmSync(home, { recursive: true })
    },
  }
}
