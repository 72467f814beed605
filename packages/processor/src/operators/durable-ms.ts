/** Checks a length of time that a durable timer can have. Throws a TypeError: a wrong one is a mistake in code. */
export function assertDurableMs(name: string, ms: number): void {
  if (!Number.isInteger(ms) || ms < 1) throw new TypeError(`${name} takes whole ms from 1; not ${ms}`)
}
