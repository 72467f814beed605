import type { BreakerState, EffectBreakerHealth } from './effect-breaker.ts'

/** What a running processor tells of its effects. */
export type EffectNews =
  | (OneEffect & {
      readonly kind: 'effect-retry'
      readonly attempts: number
      readonly delayMs: number
    })
  | (OneEffect & { readonly kind: 'effect-dead' })
  /** These have been carried out, and the ledger says so; one name for each. */
  | { readonly kind: 'effects-confirmed'; readonly partition: number; readonly names: readonly string[] }
  /** The breaker before an effect has changed its state. */
  | ({ readonly kind: 'effect-breaker'; readonly previous: BreakerState } & EffectBreakerHealth)
  /** So many effects of a partition wait that it takes in no more events; or that is over. */
  | {
      readonly kind: 'effects-full' | 'effects-flowing'
      readonly partition: number
      readonly waiting: number
    }

interface OneEffect {
  readonly partition: number
  readonly key: string
  readonly name: string
  readonly idempotencyKey: string
  readonly error: unknown
}
