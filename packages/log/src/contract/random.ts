/** Numbers from 0 up to 1 that follow from a seed. */
export type Random = () => number

/** Makes a source of numbers whose whole state is its seed (mulberry32): the same seed gives the same ones. */
export function randomOf(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const fresh = Math.floor(Math.random() * 1_000_000_000)

/**
 * Where a random test begins. The usual seed, so that every run of the tests meets the same; `MILLRACE_SEED=<number>`
 * asks for another one, `MILLRACE_SEED=random` for one that nobody has tried. Tests show it in their names, as
 * `(seed 1)`: `npm run hunt` finds them by that.
 */
export function testSeed(): number {
  const wanted = process.env['MILLRACE_SEED'] ?? ''
  if (wanted === '') return 1
  if (wanted === 'random') return fresh
  const seed = Number(wanted)
  if (!Number.isSafeInteger(seed))
    throw new TypeError(`MILLRACE_SEED is a whole number or random, not ${wanted}`)
  return seed
}
