import { maskText } from '@millrace/event'
import {
  checkEffectRule,
  digestOfData,
  type EffectRuleRequest,
  type EffectRuleResult,
  type OpenEffect,
  type Overtaken,
} from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { storyOfRuling } from './story-header.ts'

type Reply =
  | readonly ['ruled', key: string, count: number, first: number, last: number]
  | readonly ['overtaken', count: number, first: number, last: number]
  | readonly ['changed', number]
  | readonly ['open', OpenEffect]
  | readonly ['already' | 'settled' | 'gone']

/** Decides about a dead effect, or says why not. The same request may be sent again. */
export async function ruleOnEffect(
  place: GroupPlace,
  request: EffectRuleRequest,
  context: { readonly now: number | undefined; readonly entriesKept: number; readonly remembered: number },
): Promise<EffectRuleResult> {
  checkEffectRule(request)
  const { redis, scripts, names } = place
  const { id, idempotencyKey: effect, kind, by, reason, payload, turn, force, dryRun } = request
  const { now, entriesKept, remembered } = context
  const digest = digestOfData(payload)
  const keys = [
    names.group,
    names.effects,
    names.effectsPending,
    names.effectsDead,
    names.effectsSettled,
    names.effectsIndex,
    names.effectsPassed,
    names.effectsRequeued,
    names.repairs,
  ]
  // The script knows of which event it is.
  const ruling = { seq: 0, kind, by: maskText(by), reason: maskText(reason), id }
  const told = storyOfRuling(place, keys.length, ruling)
  const flags = { force, dry: dryRun, now, most: entriesKept, remembered }
  const header = { id, effect, kind, digest, turn, ...flags, story: told?.header }
  const reply = (await scripts.effectsRule.run(
    redis,
    [...keys, ...(told?.keys ?? [])],
    [
      JSON.stringify(header),
      JSON.stringify({ kind, by, reason, id, digest }),
      JSON.stringify({ by, reason }),
      payload === undefined ? '' : JSON.stringify(payload),
    ],
  )) as Reply
  return resultOf(reply)
}

function resultOf(reply: Reply): EffectRuleResult {
  switch (reply[0]) {
    case 'ruled': {
      const [status, key, count, first, last] = reply
      return { status, key, ...(count > 0 ? { overtaken: { count, first, last } satisfies Overtaken } : {}) }
    }
    case 'overtaken': {
      const [status, count, first, last] = reply
      return { status, overtaken: { count, first, last } }
    }
    case 'changed':
      return { status: reply[0], turn: reply[1] }
    case 'open':
      return { status: reply[0], now: reply[1] }
    case 'already':
    case 'settled':
    case 'gone':
      return { status: reply[0] }
  }
}
