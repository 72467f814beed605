import type { Event } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import type { AnyEffect, ConsumerEvent, EffectContext, Processor, Program } from '@millrace/processor'
import type { EffectSeen, EmittedEvent } from './outcome.ts'
import type { Quiet } from './quiet.ts'

/** What was seen of a processor that runs. */
export interface Seen {
  readonly effects: EffectSeen[]
  readonly emitted: EmittedEvent[]
  readonly news: ConsumerEvent[]
}

/** The processor, with its handlers counted while they run and its effects seen. */
export function watched<P extends Processor>(
  processor: P,
  { quiet, seen, carryOut }: { readonly quiet: Quiet; readonly seen: Seen; readonly carryOut: boolean },
): P {
  const { program } = processor
  const counted: Program =
    program.kind === 'pipeline'
      ? program
      : { kind: 'handler', handle: (event, context) => quiet.handler(() => program.handle(event, context)) }
  const effects = [...processor.effects.values()].map((effect): [string, AnyEffect] => [
    effect.name,
    { ...effect, run: (payload, context) => see(effect, payload, context) },
  ])
  return { ...processor, program: counted, effects: new Map(effects) }

  async function see(effect: AnyEffect, payload: never, context: EffectContext): Promise<void> {
    const { key, idempotencyKey, attempt } = context
    if (attempt === 1) seen.effects.push({ name: effect.name, key, payload, idempotencyKey })
    if (carryOut) await quiet.handler(() => effect.run(payload, context))
  }
}

/** The log, with everything that is appended by channel heard: that is what processors emit. */
export function heardEmits(log: EventLog, seen: Seen): EventLog {
  return new Proxy(log, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (name !== 'appendChannel') return method.bind(target) as unknown
      const append: EventLog['appendChannel'] = async (topic, batch) => {
        const result = await target.appendChannel(topic, batch)
        if (result.status === 'appended' && result.taken > 0)
          seen.emitted.push(...batch.events.slice(-result.taken).map((event) => emittedOf(topic.name, event)))
        return result
      }
      return append
    },
  })
}

function emittedOf(topic: string, event: Event): EmittedEvent {
  const { type, subject, data, id, causationid } = event
  return { topic, type, key: subject, data, id, causationId: causationid }
}
