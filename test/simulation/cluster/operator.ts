import type { EffectRuleRequest, RuleRequest } from '@millrace/processor'
import type { Cluster } from './cluster.ts'
import type { Order } from './plan.ts'

const said = { by: 'ada', reason: 'as was agreed' } as const

/** Somebody decides about what cannot be processed: a dead letter, a parked key, a dead effect. */
export async function decide(cluster: Cluster, order: Order): Promise<void> {
  const { which } = order
  const partition = which % cluster.judges.length
  if (order.on === 'effect') await decideOnEffect(cluster, partition, order)
  else await decideOnEvent(cluster, partition, order)
}

async function decideOnEvent(cluster: Cluster, partition: number, order: Order): Promise<void> {
  const { places, askings } = cluster.judgeOf(partition)
  const wanted = order.on === 'dead' ? 'dead' : 'parked'
  const all = [...askings.values()].filter(({ seq }) => places.get(seq) === wanted)
  const asking = all[order.which % all.length]
  if (!asking) return
  const { seq, key } = asking
  const { kind, act, force, id } = order
  const request: RuleRequest = {
    id,
    seq,
    key,
    kind,
    ...said,
    force,
    ...(kind === 'corrected' ? { data: act } : {}),
  }
  const { status } = await cluster.store.rule(cluster.at(partition), request)
  cluster.story.tell(`an operator rules that ${partition}/${seq} of ${key} is ${kind} → ${status}`)
}

async function decideOnEffect(cluster: Cluster, partition: number, order: Order): Promise<void> {
  const at = cluster.at(partition)
  const { items } = await cluster.store.pendingEffects(at, { status: 'dead' })
  const effect = items[order.which % items.length]
  if (!effect) return
  const { idempotencyKey } = effect
  const { id, kind, force } = order
  const payload = kind === 'corrected' ? { payload: { id: 'corrected' } } : {}
  const request: EffectRuleRequest = { id, idempotencyKey, kind, ...said, force, ...payload }
  const { status } = await cluster.store.ruleEffect(at, request)
  cluster.story.tell(`an operator rules that the effect ${idempotencyKey} is ${kind} → ${status}`)
}
