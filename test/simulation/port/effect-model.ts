import { MillraceError } from '@millrace/event'
import type { EffectChange, OpenEffect, RecordedEffect } from '@millrace/processor'
import type { Process } from './network.ts'
import type { World } from './world.ts'

/** How effects end, where much of everything is to be seen, and where operators are to have much to do. */
const mixed = ['confirmed', 'confirmed', 'parked', 'dead', 'dead', 'ignored'] as const
const failing = ['confirmed', 'confirmed', 'dead', 'dead', 'dead'] as const

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
    const { random, store, at, forOperators } = this.#world
    while (!this.#over) {
      await this.#process.sleep(random.between(1, 15))
      const status = random.pick(calmOrNot(this.#world.calm, forOperators)) ?? 'pending'
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

  #carryOut({ idempotencyKey, status, turn, seq, name }: RecordedEffect): EffectChange {
    const { random, performed, calm, nowMs: atMs } = this.#world
    if (status !== 'pending') return { idempotencyKey, turn, to: 'pending' }
    performed.add(idempotencyKey)
    const ends = this.#world.forOperators ? failing : mixed
    const to = calm ? 'confirmed' : (random.pick(ends) ?? 'dead')
    const change = { idempotencyKey, turn, to, note: { turn, atMs, reason: `at turn ${turn}` } }
    if (random.chance(0.5)) return change
    const ended = { name, idempotencyKey, to, attempts: turn + 1, tookMs: 1 }
    const fact = { what: 'effect-ended', atMs, member: this.#process.name, ...ended } as const
    return { ...change, fact: { seq, fact } }
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

/** Which effects it looks at: those that are dead are an operator's business, and seldom or never its own. */
function calmOrNot(calm: boolean, forOperators: boolean): readonly OpenEffect[] {
  if (calm) return ['pending', 'parked', 'dead']
  if (forOperators) return ['pending', 'pending', 'parked']
  return ['pending', 'pending', 'pending', 'pending', 'parked', 'parked', 'dead']
}
