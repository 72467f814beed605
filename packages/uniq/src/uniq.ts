import { setTimeout } from 'node:timers/promises'
import { MillraceError, type Topic } from '@millrace/event'
import type { AppendResult, AppendUnit, ClaimRegister, EventLog } from '@millrace/log'
import { claimsOfEvent } from './claims-of-event.ts'
import { type ConstraintAction, type Constraints, typesOf } from './constraints.ts'
import type { Keyring } from './keyring.ts'

/** What {@link createUniq} needs. */
export interface UniqOptions {
  readonly log: Pick<EventLog, 'append'> & ClaimRegister
  readonly topic: Topic
  readonly constraints: Constraints
  readonly keyring: Keyring
}

/** The guard of one topic: every append passes here and gets the claims that the configuration asks for. */
export interface Uniq {
  readonly topic: Topic
  readonly constraints: Constraints
  /** Appends units with their claims; claims that a unit brings itself are replaced. */
  append(units: readonly AppendUnit[]): Promise<readonly AppendResult[]>
  /** What an event type does to the constraints of the topic; the strongest where it does several things. */
  actionOf(type: string): ConstraintAction | undefined
  /** The key that holds a value. @throws MillraceError `event.invalid` when the value has no normal form */
  ownerOf(constraint: string, values: readonly string[]): Promise<string | undefined>
}

/** Makes the guard of a topic. */
export function createUniq(options: UniqOptions): Uniq {
  const { log, topic, constraints, keyring } = options
  const actions = constraints.constraints
  const byType = actionsByType(constraints)
  return {
    topic,
    constraints,
    append: (units) => (units.length === 1 ? appendSingle(options, units) : appendGuarded(options, units)),
    actionOf: (type) => byType.get(type),
    ownerOf: async (name, values) => {
      const constraint = actions.find((one) => one.name === name)
      if (!constraint)
        throw new MillraceError('event.invalid', `Topic ${topic.name} has no constraint "${name}"`)
      return log.ownerOf(topic, name, keyring.digests(name, constraint.normalise, values))
    },
  }
}

/** The strongest of what an event type does. */
function actionsByType({ constraints }: Constraints): ReadonlyMap<string, ConstraintAction> {
  const byType = new Map<string, ConstraintAction>()
  for (const action of ['change', 'release', 'create'] as const)
    for (const constraint of constraints)
      for (const type of typesOf(constraint, action)) byType.set(type, action)
  return byType
}

// A swap of rebuilt claims closes the gate for at most 100 ms at a time; whoever comes then waits and is judged anew.
const gateWaitMs = 25
const gateWaits = 16

async function waitAtGate(
  options: UniqOptions,
  units: readonly AppendUnit[],
  results: AppendResult[],
): Promise<readonly AppendResult[]> {
  for (let wait = 0; wait < gateWaits; wait++) {
    const closed = results.flatMap((result, at) => (isGated(result) ? [at] : []))
    if (closed.length === 0) break
    await setTimeout(gateWaitMs)
    const again = await options.log.append(
      options.topic,
      closed.flatMap((at) => units[at] ?? []),
    )
    for (const [index, at] of closed.entries()) {
      const result = again[index]
      if (result) results[at] = result
    }
  }
  return results
}

function isGated(result: AppendResult): boolean {
  return result.status === 'refused' && result.error.code === 'append.gated'
}

// Nearly every append: a promise less, and no list of what was refused.
function appendSingle(options: UniqOptions, [unit]: readonly AppendUnit[]): Promise<readonly AppendResult[]> {
  const guarded = guard(options, unit as AppendUnit)
  if (guarded instanceof MillraceError) return Promise.resolve([{ status: 'refused', error: guarded }])
  return options.log
    .append(options.topic, [guarded])
    .then((answers) => (answers.some(isGated) ? waitAtGate(options, [guarded], [...answers]) : answers))
}

async function appendGuarded(
  options: UniqOptions,
  units: readonly AppendUnit[],
): Promise<readonly AppendResult[]> {
  const good: AppendUnit[] = []
  const refused = new Map<number, AppendResult>()
  for (let at = 0; at < units.length; at++) {
    const guarded = guard(options, units[at] as AppendUnit)
    if (guarded instanceof MillraceError) refused.set(at, { status: 'refused', error: guarded })
    else good.push(guarded)
  }
  let answers = good.length > 0 ? await options.log.append(options.topic, good) : []
  if (answers.some(isGated)) answers = await waitAtGate(options, good, [...answers])
  if (refused.size === 0) return answers
  let next = 0
  return units.map((_unit, at) => refused.get(at) ?? (answers[next++] as AppendResult))
}

function guard({ constraints, keyring }: UniqOptions, unit: AppendUnit): AppendUnit | MillraceError {
  try {
    const [first] = unit.events
    const claims =
      first && unit.events.length === 1
        ? claimsOfEvent(constraints, keyring, first)
        : unit.events.flatMap((event) => claimsOfEvent(constraints, keyring, event))
    // A key is created once: a late create after a release would bring it back from the dead.
    const creates = claims.some((claim) => claim.action === 'claim')
    const expectedVersion = unit.expectedVersion ?? (creates ? 0 : undefined)
    return expectedVersion === undefined ? { ...unit, claims } : { ...unit, claims, expectedVersion }
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
}

/** A log on which no event of a guarded topic can be written past its guard. */
export function guardedLog<L extends EventLog>(log: L, guards: readonly Uniq[]): EventLog {
  const byTopic = new Map(guards.map((uniq) => [uniq.topic.name, uniq]))
  const refuse = (topic: Topic) => {
    throw new MillraceError(
      'topic.guarded',
      `Topic ${topic.name} has uniqueness constraints and takes no channels`,
    )
  }
  return {
    append: (topic, units) => byTopic.get(topic.name)?.append(units) ?? log.append(topic, units),
    appendChannel: (topic, batch) =>
      byTopic.has(topic.name) ? refuse(topic) : log.appendChannel(topic, batch),
    channel: (topic, partition, channel) => log.channel(topic, partition, channel),
    fence: (topic, partition, fence) => log.fence(topic, partition, fence),
    read: (topic, after, options) => log.read(topic, after, options),
    readKey: (topic, key, options) => log.readKey(topic, key, options),
    readAt: (topic, position) => log.readAt(topic, position),
    tips: (topic) => log.tips(topic),
  }
}
