import { MillraceError } from '@millrace/event'
import type { EffectChange, RecordedEffect } from '@millrace/processor'
import type { Process } from './network.ts'
import type { World } from './world.ts'

/** Carries out the effects of a group as long as the token holds: at least once each, confirmed turn by turn. */
export class EffectModel {
  readonly #process: Process
  readonly #world: World
  readonly #token: string
  #over = false

  constructor(process: Process, world: World, token: string) {
    this.#process = process
    this.#world = world
    this.#token = token
  }

  async work(): Promise<void> {
    const { random, store, at } = this.#world
    while (!this.#over) {
      await this.#process.sleep(random.between(1, 15))
      const status = random.pick(['pending', 'pending', 'pending', 'parked', 'dead'] as const) ?? 'pending'
      try {
        const page = await this.#process.call(
          `effects ${status}`,
          () => store.pendingEffects(at, { status, limit: 4 }),
          'log.unavailable',
        )
        const changes = page.items.map((effect) => this.#carryOut(effect))
        if (changes.length > 0) await this.#confirm(changes)
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
      }
    }
  }

  end(): void {
    this.#over = true
  }

  #carryOut({ idempotencyKey, status, turn }: RecordedEffect): EffectChange {
    const { random, performed, calm } = this.#world
    if (status !== 'pending') return { idempotencyKey, turn, to: 'pending' }
    performed.add(idempotencyKey)
    const to = calm
      ? 'confirmed'
      : (random.pick(['confirmed', 'parked', 'parked', 'dead', 'ignored'] as const) ?? 'dead')
    return { idempotencyKey, turn, to, note: { turn } }
  }

  async #confirm(changes: readonly EffectChange[]): Promise<void> {
    const { store, at } = this.#world
    for (;;) {
      try {
        const result = await this.#process.call(
          'confirm',
          () => store.confirmEffects(at, this.#token, changes),
          'commit.unknown',
          changes,
        )
        if (result === 'fenced') this.#over = true
        return
      } catch (error) {
        if (!(error instanceof MillraceError && error.code === 'commit.unknown')) throw error
      }
    }
  }
}
