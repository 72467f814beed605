import { MillraceError } from '@millrace/event'
import type { EngineLease } from './engine-lease.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { WaitingEffect } from './waiting-effect.ts'

/**
 * Carries an effect out once, within its time limit; throws what it throws.
 *
 * @throws MillraceError `effect.unknown`, `lease.fenced`, `handler.timeout`
 */
export async function attemptEffect(
  settings: EngineSettings,
  lease: EngineLease,
  effect: WaitingEffect,
  ending: AbortSignal,
): Promise<void> {
  const { processor, effectTimeoutMs, timers } = settings
  const { name, key, idempotencyKey, attempt, correlationId, causationId } = effect
  const definition = processor.effects.get(name)
  if (definition === undefined)
    throw new MillraceError('effect.unknown', `Processor ${processor.name} lists no effect "${name}"`)
  if (lease.lapsed)
    throw new MillraceError('lease.fenced', 'The lease may have been taken over by another member')
  const late = new AbortController()
  const signal = AbortSignal.any([late.signal, ending])
  const { promise, reject } = Promise.withResolvers<never>()
  const error = new MillraceError('handler.timeout', `Effect ${name} took more than ${effectTimeoutMs} ms`)
  const cancel = Number.isFinite(effectTimeoutMs)
    ? timers.set(effectTimeoutMs, () => {
        late.abort()
        reject(error)
      })
    : () => undefined
  try {
    const context = { key, idempotencyKey, attempt, correlationId, causationId, signal }
    // The payload is what the definition's schema let through when it was recorded.
    const run = definition.run as (payload: unknown, given: typeof context) => Promise<void> | void
    await Promise.race([run(JSON.parse(effect.payload), context), promise])
  } finally {
    cancel()
  }
}
