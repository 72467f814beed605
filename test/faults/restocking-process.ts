import { setTimeout as pause } from 'node:timers/promises'
import { serviceClient } from '@millrace/hono'
import type { ConsumerEvent } from '@millrace/processor'
import { connectGroupStore, connectLog, connectMemberList, type RedisGroupStore } from '@millrace/redis'
import {
  createRestocking,
  openSuggestionStore,
  openVerdictView,
  purchasingClient,
  type Restocking,
} from '@millrace-app/restocking'
import { quietHttp, serviceToken } from '../restocking/scene.ts'
import { Hold } from './hold.ts'

/** What a member of restocking is told at its start. */
export interface RestockingOrder {
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly purchasingUrl: string
  readonly name: string
  readonly leaseMs: number
  /** A bug for which the run must turn red: who takes a product over applies its last difference once more. */
  readonly appliesTwice: boolean
}

/** What it says. */
export type RestockingWord =
  | { readonly type: 'ready' }
  /** `place`: group and partition. */
  | { readonly type: 'lease'; readonly place: string; readonly held: boolean }
  | { readonly type: 'commit'; readonly result: 'already' | 'fenced' }
  | { readonly type: 'holding' }
  | { readonly type: 'news'; readonly kind: string; readonly why: string }
  | { readonly type: 'clicked'; readonly key: string; readonly status: number }
  | { readonly type: 'mailed'; readonly key: string; readonly suggestion: string }

// The service as a process of its own, so that it can be killed and stopped. It ends with whoever started it.
// What it is told later: `hold-commit`, `let-commit`, `click <idempotency key> <id of the suggestion>`.
process.once('disconnect', () => process.exit())
process.once('message', (order: RestockingOrder) => void follow(order))

async function follow(order: RestockingOrder): Promise<void> {
  const reach = { url: order.redisUrl, commandTimeoutMs: 2_000 }
  const [log, groups, members] = [
    await connectLog(reach),
    await connectGroupStore(reach),
    await connectMemberList(reach),
  ]
  const hold = new Hold(() => void say({ type: 'holding' }))
  const commit = groups.commit.bind(groups)
  groups.commit = async (at, one) => {
    await hold.passed()
    const result = await commit(at, one)
    if (result.status !== 'committed') void say({ type: 'commit', result: result.status })
    return result
  }
  if (order.appliesTwice) applyTwice(groups)
  const connection = {
    url: order.databaseUrl,
    schemas: { own: 'restocking', view: 'restocking_view' },
    onError: () => undefined,
    // A member that sleeps in a transaction holds the others up for so long.
    idleTransactionMs: 2_000,
  }
  const [store, view] = [await openSuggestionStore(connection), await openVerdictView(connection)]
  const client = serviceClient({ name: 'purchasing', baseUrl: order.purchasingUrl, token: serviceToken })
  const service = createRestocking({
    ...{ log, groups, members, view, store },
    member: order.name,
    leaseMs: order.leaseMs,
    stepMs: 2_000,
    purchasing: purchasingClient(client),
    mail: {
      send: async (_, { id }, { idempotencyKey: key }) => say({ type: 'mailed', key, suggestion: id }),
    },
    snapshot: () => Promise.reject(new Error('The run fills the system')),
    http: quietHttp,
    tokens: [serviceToken],
    observe: tell,
    onTrouble: (error) => void say({ type: 'news', kind: 'trouble', why: String(error).slice(0, 200) }),
  })
  process.on('message', (command: string) => {
    const [what, key = '', id = ''] = command.split(' ')
    if (what === 'hold-commit') hold.begin()
    if (what === 'let-commit') hold.end()
    if (what === 'click') void click(service, key, id)
  })
  // PostgreSQL may be away for a moment.
  for (let attempt = 1; attempt < 200; attempt++)
    try {
      await store.prepare()
      await view.prepare()
      break
    } catch {
      await pause(250)
    }
  await service.start()
  await say({ type: 'ready' })
}

async function click({ app }: Restocking, key: string, id: string): Promise<void> {
  const { status } = await app.request(`/suggestions/${id}/carry-out`, {
    method: 'POST',
    headers: { authorization: `Bearer ${serviceToken}`, 'idempotency-key': key, 'x-actor': 'planner' },
  })
  await say({ type: 'clicked', key, status })
}

/** The store with the bug. */
function applyTwice(groups: RedisGroupStore): void {
  const load = groups.loadStates.bind(groups)
  groups.loadStates = async (at, keys) =>
    (await load(at, keys)).map((one) => {
      if (one.state === undefined || !one.key.startsWith('product/')) return one
      const state = JSON.parse(one.state.state) as {
        stock?: number
        movements: readonly { difference: number }[]
      }
      const again = (state.stock ?? 0) + (state.movements.at(-1)?.difference ?? 0)
      return { ...one, state: { ...one.state, state: JSON.stringify({ ...state, stock: again }) } }
    })
}

function tell(event: ConsumerEvent): void {
  const { kind } = event
  if (kind === 'leased' || kind === 'ended')
    void say({ type: 'lease', place: `${event.group}/${event.partition}`, held: kind === 'leased' })
  if (kind === 'progress' || kind === 'leased') return
  const why = kind === 'ended' ? event.reason : 'error' in event ? String(event.error).slice(0, 200) : ''
  void say({ type: 'news', kind, why })
}

/** Resolves when the word is on its way. */
function say(word: RestockingWord): Promise<void> {
  return new Promise((resolve) => {
    // Nobody may be left to hear it.
    if (process.connected) process.send?.(word, undefined, undefined, () => resolve())
    else resolve()
  })
}
