/** What a running processor tells of its effects. */
export type EffectNews =
  | (OneEffect & {
      readonly kind: 'effect-retry'
      readonly attempts: number
      readonly delayMs: number
    })
  | (OneEffect & { readonly kind: 'effect-dead' })

interface OneEffect {
  readonly partition: number
  readonly key: string
  readonly name: string
  readonly idempotencyKey: string
  readonly error: unknown
}
