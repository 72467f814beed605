import { setTimeout } from 'node:timers/promises'
import { MillraceError, type Topic } from '@millrace/event'
import type { AppendResult, AppendUnit, ClaimRegister, EventLog } from '@millrace/log'
import { claimsOfEvent } from './claims-of-event.ts'
import { actionOn, type ConstraintAction, type Constraints } from './constraints.ts'
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
  return {
    topic,
    constraints,
    append: (units) => appendGuarded(options, units),
    actionOf: (type) => {
      const found = actions.flatMap((constraint) => actionOn(constraint, type) ?? [])
      return (['create', 'release', 'change'] as const).find((action) => found.includes(action))
    },
    ownerOf: async (name, values) => {
      const constraint = actions.find((one) => one.name === name)
      if (!constraint)
        throw new MillraceError('event.invalid', `Topic ${topic.name} has no constraint "${name}"`)
      return log.ownerOf(topic, name, keyring.digests(name, constraint.normalise, values))
    },
  }
}

// A swap of rebuilt claims closes the gate for at most 100 ms at a time; whoever comes then waits and is judged anew.
const gateWaitMs = 25
const gateWaits = 16

async function appendThroughGate(
  options: UniqOptions,
  units: readonly AppendUnit[],
): Promise<readonly AppendResult[]> {
  const results = [...(await options.log.append(options.topic, units))]
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

async function appendGuarded(
  options: UniqOptions,
  units: readonly AppendUnit[],
): Promise<readonly AppendResult[]> {
  const results: (AppendResult | undefined)[] = []
  const good: AppendUnit[] = []
  const places: number[] = []
  for (const [at, unit] of units.entries()) {
    const guarded = guard(options, unit)
    if (guarded instanceof MillraceError) {
      results[at] = { status: 'refused', error: guarded }
    } else {
      places.push(at)
      good.push(guarded)
    }
  }
  const answers = good.length > 0 ? await appendThroughGate(options, good) : []
  for (const [at, answer] of answers.entries()) results[places[at] ?? 0] = answer
  return results.map(
    (result) =>
      result ?? {
        status: 'refused',
        error: new MillraceError('internal', 'The log answered too few results'),
      },
  )
}

function guard(options: UniqOptions, unit: AppendUnit): AppendUnit | MillraceError {
  try {
    const claims = unit.events.flatMap((event) => claimsOfEvent(options.constraints, options.keyring, event))
    if (claims.length === 0) return { ...unit, claims }
    // A key is created once: a late create after a release would bring it back from the dead.
    const creates = claims.some((claim) => claim.action === 'claim')
    return { ...unit, claims, ...(creates ? { expectedVersion: unit.expectedVersion ?? 0 } : {}) }
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
    read: (topic, after, options) => log.read(topic, after, options),
    readKey: (topic, key, options) => log.readKey(topic, key, options),
    readAt: (topic, position) => log.readAt(topic, position),
    tips: (topic) => log.tips(topic),
  }
}
