import { maskText } from '@millrace/event'
import {
  checkRule,
  digestOfData,
  type Overtaken,
  type RuledOn,
  type RuleRequest,
  type RuleResult,
  type Ruling,
} from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { storyOfRuling } from './story-header.ts'

type Reply =
  | readonly ['ruled', RuledOn, count: number, first: number, last: number]
  | readonly ['overtaken', count: number, first: number, last: number]
  | readonly ['pending', Ruling['kind']]
  | readonly ['changed', number]
  | readonly ['already' | 'gone']

/** What a ruling needs beside the group's place. */
export interface RuleContext {
  /** Name of the list of the key's events. */
  readonly keyIndex: string
  /** Time in ms; undefined: the server's clock. */
  readonly now: number | undefined
  /** How many entries the audit log keeps. */
  readonly entriesKept: number
}

/** Decides about an event, or says why not. The same request may be sent again. */
export async function ruleOn(
  place: GroupPlace,
  request: RuleRequest,
  { keyIndex, now, entriesKept }: RuleContext,
): Promise<RuleResult> {
  checkRule(request)
  const { redis, scripts, names } = place
  const { id, seq, key, kind, by, reason, data, parkNo, force, dryRun } = request
  const digest = digestOfData(data)
  const keys = [
    names.group,
    names.dead,
    names.deadIndex,
    names.parked,
    names.parkedDue,
    names.deferred,
    names.requeued,
    names.rulings,
    names.repairs,
    keyIndex,
  ]
  const told = storyOfRuling(place, keys.length, {
    seq,
    kind,
    by: maskText(by),
    reason: maskText(reason),
    id,
  })
  const flags = { no: parkNo, force, dry: dryRun, now, most: entriesKept }
  const header = { id, seq, key, kind, digest, ...flags, story: told?.header }
  const ruling = { kind, by, reason, id, digest, ...(kind === 'corrected' ? { data } : {}) }
  const reply = (await scripts.rule.run(
    redis,
    [...keys, ...(told?.keys ?? [])],
    [JSON.stringify(header), JSON.stringify(ruling), JSON.stringify({ by, reason })],
  )) as Reply
  return resultOf(reply)
}

function resultOf(reply: Reply): RuleResult {
  switch (reply[0]) {
    case 'ruled': {
      const [status, on, count, first, last] = reply
      return { status, on, ...(count > 0 ? { overtaken: { count, first, last } satisfies Overtaken } : {}) }
    }
    case 'overtaken': {
      const [status, count, first, last] = reply
      return { status, overtaken: { count, first, last } }
    }
    case 'pending':
      return { status: reply[0], kind: reply[1] }
    case 'changed':
      return { status: reply[0], parkNo: reply[1] }
    case 'already':
    case 'gone':
      return { status: reply[0] }
  }
}
