import { setImmediate, setTimeout } from 'node:timers/promises'
import { accounts } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { ClaimStore } from '@millrace/log'
import { connectLog, writingConnection } from '@millrace/redis'
import { rebuildClaims, type RebuildReport } from '@millrace/uniq'
import { Keys } from '../../packages/redis/src/keys.ts'
import { rebuildSwap } from '../../packages/redis/src/rebuild-swap.ts'
import { Script } from '../../packages/redis/src/script.ts'
import { constraints, keyring } from './contested-accounts.ts'

/** What a rebuild is told at its start. */
export interface RebuildOrder {
  readonly redisUrl: string
  /** Version of the keyring that the claims have afterwards. */
  readonly version: string
  /** Rests so long with the gate closed, in ms. */
  readonly restMs: number
  /** Dies by SIGKILL while its call of that number is on its way to Redis. */
  readonly dieAt: number | undefined
  /** Text of the swap script. Default: as it is. */
  readonly swapScript: string | undefined
}

/** What it says. */
export type RebuildWord =
  | { readonly type: 'ended'; readonly report: RebuildReport; readonly calls: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

// A process of its own, so that it can be killed in the middle. It ends with whoever started it.
process.once('disconnect', () => process.exit())
process.once('message', (order: RebuildOrder) => {
  rebuild(order).then(say, (error: unknown) => {
    const code = error instanceof MillraceError ? error.code : 'unforeseen'
    say({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) })
  })
})

function say(word: RebuildWord): void {
  if (process.connected) process.send?.(word)
}

async function rebuild(order: RebuildOrder): Promise<RebuildWord> {
  const { redisUrl, version, dieAt, restMs } = order
  const log = await connectLog({ url: redisUrl, connectTimeoutMs: 30_000 })
  let calls = 0
  const call = async <T>(send: () => Promise<T>): Promise<T> => {
    calls += 1
    const answer = send()
    if (calls === dieAt) {
      await setImmediate()
      process.kill(process.pid, 'SIGKILL')
    }
    return answer
  }
  const { claims } = log
  const swap = swapOf(order, claims)
  const store: ClaimStore = {
    ownerOf: (...args) => claims.ownerOf(...args),
    liveVersions: (...args) => claims.liveVersions(...args),
    entryOf: (...args) => claims.entryOf(...args),
    entries: (...args) => claims.entries(...args),
    digests: (...args) => claims.digests(...args),
    dropRebuild: (...args) => claims.dropRebuild(...args),
    beginRebuild: (...args) => call(() => claims.beginRebuild(...args)),
    stepRebuild: (...args) => call(() => claims.stepRebuild(...args)),
    swapRebuild: async (topic) => {
      await setTimeout(restMs)
      return call(() => swap(topic))
    },
    gate: (...args) => call(() => claims.gate(...args)),
  }
  const report = await rebuildClaims({
    log: { tips: (topic) => log.tips(topic), read: (...args) => call(() => log.read(...args)) },
    claims: store,
    topic: accounts,
    constraints,
    keyring: keyring.only([version]),
  })
  return { type: 'ended', report, calls }
}

function swapOf({ redisUrl, swapScript }: RebuildOrder, claims: ClaimStore): ClaimStore['swapRebuild'] {
  if (swapScript === undefined) return (topic) => claims.swapRebuild(topic)
  const redis = writingConnection({ url: redisUrl })
  const script = new Script('rebuild-swap.lua', swapScript)
  return (topic) => rebuildSwap(redis, new Keys(), topic, script)
}
