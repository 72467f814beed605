import { type Random, randomOf, testSeed } from '../../packages/log/src/contract/random.ts'

export { type Random, randomOf, testSeed }

/** A whole number from `from` to `to`, both included. */
export function between(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1))
}

/** One of several. */
export function oneOf<T>(random: Random, all: readonly T[]): T {
  const one = all[Math.floor(random() * all.length)]
  if (one === undefined) throw new TypeError('There is nothing to choose from')
  return one
}
