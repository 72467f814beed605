import { type ConsumerEvent, processor, run } from '@millrace/processor'
import { connectGroupStore, connectLog, connectMemberList } from '@millrace/redis'
import { Redis } from 'ioredis'
import { diaryKey, type Entry, group, onwards, repeatsAtMost, walk, walks } from './walk.ts'

/** What a member is told at its start. */
export interface MemberOrder {
  readonly redisUrl: string
  /** Where the diary lies: that it writes in any case. */
  readonly diaryUrl: string
  readonly name: string
  readonly leaseMs: number
  /** How long its handler takes. */
  readonly handlerMs: number
}

/** What it is told later. */
export type MemberCommand =
  /** Stop in good order, and end. */
  | 'stop'
  /** Say so before the next commit goes out, and wait. */
  | 'hold-commit'
  /** Let it go out. */
  | 'let-commit'

/** What it says. Times are of this machine's clock. */
export type MemberWord =
  | { readonly type: 'news'; readonly atMs: number; readonly event: ConsumerEvent }
  | { readonly type: 'commit'; readonly result: 'committed' | 'already' | 'fenced' }
  | { readonly type: 'holding' }

// A process of its own, so that it can be killed and stopped. It ends with whoever started it.
process.once('disconnect', () => process.exit())
process.once('message', (order: MemberOrder) => void follow(order))

async function follow({ redisUrl, diaryUrl, name, leaseMs, handlerMs }: MemberOrder): Promise<void> {
  const url = redisUrl
  const log = await connectLog({ url })
  const store = await connectGroupStore({ url })
  const members = await connectMemberList({ url })
  const diary = new Redis(diaryUrl)
  let hold: { promise: Promise<void>; resolve: () => void } | undefined
  const send = store.commit.bind(store)
  store.commit = async (at, commit) => {
    if (hold) say({ type: 'holding' })
    await hold?.promise
    const result = await send(at, commit)
    say({ type: 'commit', result: result.status })
    return result
  }
  const followers = processor(group, walks, {
    state: walk,
    handle: async ({ subject, data: { n } }, context) => {
      if (handlerMs > 0) await new Promise((resolve) => setTimeout(resolve, handlerMs))
      const { partition, seq } = context.position
      const entry: Entry = { who: name, walker: subject, n, partition, seq }
      await diary.rpush(diaryKey, JSON.stringify(entry))
      context.evolve(onwards(context.state, n))
    },
  })
  const running = await run(followers, {
    log,
    store,
    members,
    member: name,
    leaseMs,
    commitMs: 50,
    window: repeatsAtMost,
    observe: (event) => say({ type: 'news', atMs: Date.now(), event: withoutError(event) }),
  })
  process.on('message', (command: MemberCommand) => {
    if (command === 'hold-commit') hold = Promise.withResolvers<void>()
    if (command === 'let-commit') {
      hold?.resolve()
      hold = undefined
    }
    if (command === 'stop') void stop()
  })

  async function stop(): Promise<void> {
    await running.stop()
    await Promise.all([members.close(), store.close(), log.close(), diary.quit()])
    process.disconnect?.()
  }
}

// An error does not go through the channel as it is.
function withoutError(event: ConsumerEvent): ConsumerEvent {
  return 'error' in event ? { ...event, error: String(event.error) } : event
}

function say(word: MemberWord): void {
  // Nobody may be left to hear it.
  if (process.connected) process.send?.(word, undefined, undefined, () => undefined)
}
