/** The machine's chance: from 0 up to 1. Not for secrets. */
export function systemRandom(): number {
  return Math.random()
}
