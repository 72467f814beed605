import { MillraceError } from '@millrace/event'
import type { GenerationStore } from '../generations.ts'

const writes: ReadonlySet<string> = new Set([
  'acquire',
  'renew',
  'commit',
  'release',
  'freeze',
  'switchGeneration',
  'dropGeneration',
])

/** The way of a replay to the store, killed at one of its writes: before it takes place, or after. */
export class WriteFaults {
  readonly store: GenerationStore
  /** Writes that were asked for. */
  count = 0
  readonly names: string[] = []
  #killAt = Number.POSITIVE_INFINITY
  #takesPlace = false
  killed = false

  constructor(inner: GenerationStore) {
    this.store = new Proxy(inner, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name)
        if (typeof found !== 'function') return found
        return async (...args: readonly unknown[]) => {
          if (this.killed) throw new MillraceError('log.unavailable')
          if (!writes.has(String(name))) return (await Reflect.apply(found, target, args)) as unknown
          this.count += 1
          this.names.push(String(name))
          if (this.count < this.#killAt) return (await Reflect.apply(found, target, args)) as unknown
          this.killed = true
          if (this.#takesPlace) await Reflect.apply(found, target, args)
          throw new MillraceError('log.unavailable')
        }
      },
    })
  }

  /** From this write on nothing gets through; `takesPlace`: that one does, and its answer is lost. */
  killAt(write: number, takesPlace: boolean): void {
    this.#killAt = write
    this.#takesPlace = takesPlace
  }
}
