import { EffectBreaker, type EffectBreakerHealth } from './effect-breaker.ts'
import type { EngineSettings } from './engine-settings.ts'

/** The breakers of a running processor, one for each effect: its partitions share them, as they share the outside. */
export class EffectBreakers {
  readonly #settings: EngineSettings
  readonly #breakers = new Map<string, EffectBreaker>()

  constructor(settings: EngineSettings) {
    this.#settings = settings
  }

  of(name: string): EffectBreaker {
    let breaker = this.#breakers.get(name)
    if (breaker === undefined) {
      const { clock, timers, random, tell, effectBreaker } = this.#settings
      breaker = new EffectBreaker(name, effectBreaker, {
        clock,
        timers,
        random,
        changed: (changed, previous) => tell({ kind: 'effect-breaker', previous, ...changed.health() }),
      })
      this.#breakers.set(name, breaker)
    }
    return breaker
  }

  health(): readonly EffectBreakerHealth[] {
    return [...this.#breakers.values()].map((breaker) => breaker.health())
  }
}

const known = new WeakMap<EngineSettings, EffectBreakers>()

/** The breakers of the run that has these settings; made when they are first asked for. */
export function breakersOf(settings: EngineSettings): EffectBreakers {
  let breakers = known.get(settings)
  if (breakers === undefined) {
    breakers = new EffectBreakers(settings)
    known.set(settings, breakers)
  }
  return breakers
}
