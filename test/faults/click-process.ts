import { type ConsumerEvent, run } from '@millrace/processor'
import { connectGroupStore, connectLog, connectMemberList } from '@millrace/redis'
import { Redis } from 'ioredis'
import { echo, echoes, notesKey } from './clicks.ts'

/** What a member is told at its start. */
export interface ClickOrder {
  /** Its way to Redis, which the run disturbs. */
  readonly redisUrl: string
  /** Where the notes lie: that it reaches in any case. */
  readonly notesUrl: string
  readonly name: string
  readonly leaseMs: number
}

/** What it is told later. */
export type ClickCommand =
  /** Stop in good order, and end. */
  | 'stop'
  /** Say so before the next commit goes out, and wait. */
  | 'hold-commit'
  /** Let it go out. */
  | 'let-commit'

/** What it says. Times are of this machine's clock. */
export type ClickWord =
  | { readonly type: 'lease'; readonly atMs: number; readonly partition: number; readonly held: boolean }
  | { readonly type: 'commit'; readonly result: 'committed' | 'already' | 'fenced' }
  | { readonly type: 'news'; readonly kind: ConsumerEvent['kind']; readonly why: string }
  | { readonly type: 'holding' }

// A process of its own, so that it can be killed and stopped. It ends with whoever started it.
process.once('disconnect', () => process.exit())
process.once('message', (order: ClickOrder) => void follow(order))

async function follow({ redisUrl: url, notesUrl, name, leaseMs }: ClickOrder): Promise<void> {
  const reach = { url, commandTimeoutMs: 2_000 }
  const log = await connectLog(reach)
  const store = await connectGroupStore(reach)
  const members = await connectMemberList(reach)
  const notes = new Redis(notesUrl)
  let hold: { promise: Promise<void>; resolve: () => void } | undefined
  const send = store.commit.bind(store)
  store.commit = async (at, commit) => {
    if (hold) say({ type: 'holding' })
    await hold?.promise
    const result = await send(at, commit)
    if (result.status !== 'committed') say({ type: 'commit', result: result.status })
    return result
  }
  const running = await run(
    echo((key) => notes.rpush(notesKey, key)),
    {
      log,
      store,
      members,
      member: name,
      leaseMs,
      emitsTo: [echoes],
      retry: { firstMs: 50, maxMs: 500 },
      observe: tell,
    },
  )
  process.on('message', (command: ClickCommand) => {
    if (command === 'hold-commit') hold = Promise.withResolvers<void>()
    if (command === 'let-commit') {
      hold?.resolve()
      hold = undefined
    }
    if (command === 'stop') void stop()
  })

  async function stop(): Promise<void> {
    await running.stop()
    await Promise.all([members.close(), store.close(), log.close(), notes.quit()])
    process.disconnect?.()
  }
}

function tell(event: ConsumerEvent): void {
  const { kind } = event
  if (kind === 'leased' || kind === 'ended')
    say({ type: 'lease', atMs: Date.now(), partition: event.partition, held: kind === 'leased' })
  if (kind === 'progress' || kind === 'leased') return
  const why = kind === 'ended' ? event.reason : 'error' in event ? String(event.error).slice(0, 200) : ''
  say({ type: 'news', kind, why })
}

function say(word: ClickWord): void {
  // Nobody may be left to hear it.
  if (process.connected) process.send?.(word, undefined, undefined, () => undefined)
}
