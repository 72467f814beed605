import { AssertionError } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import type { Expectation, Outcome } from './outcome.ts'

/** Throws an AssertionError that names the first thing that is not as expected, with both sides. */
export function assertOutcome<S>(found: Outcome<S>, expected: Expectation<S>): void {
  if ('state' in expected) assertMatch('the state', found.state, expected.state)
  const { emitted, effects, deferred, dead = [], parked = [] } = expected
  if (emitted !== undefined) {
    const wanted = emitted.map(({ topic, ...rest }) =>
      topic === undefined ? rest : { ...rest, topic: typeof topic === 'string' ? topic : topic.name },
    )
    assertList('emitted events', found.emitted, wanted)
  }
  if (effects !== undefined) assertList('effects', found.effects, effects)
  if (deferred !== undefined) assertList('deferred events', found.deferred, deferred)
  assertList('dead letters', found.dead, dead)
  assertList('parked keys', found.parked, parked)
}

function assertList(what: string, found: readonly object[], expected: readonly object[]): void {
  if (found.length !== expected.length)
    throw new AssertionError({
      message: `${what}: ${expected.length} expected, ${found.length} found: ${JSON.stringify(found)}`,
      actual: found,
      expected,
      operator: 'assertOutcome',
    })
  for (const [at, one] of expected.entries()) assertMatch(`${what}, number ${at + 1}`, found[at], one)
}

function assertMatch(what: string, found: unknown, expected: unknown): void {
  if (matches(found, expected)) return
  throw new AssertionError({
    message: `${what}: ${JSON.stringify(expected)} expected, ${JSON.stringify(found)} found`,
    actual: found,
    expected,
    operator: 'assertOutcome',
  })
}

/** Whether everything that is expected is there; lists must be of the same length. */
function matches(found: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return Object.is(found, expected)
  if (typeof found !== 'object' || found === null) return false
  if (Array.isArray(expected))
    return (
      Array.isArray(found) &&
      found.length === expected.length &&
      expected.every((one, at) => matches(found[at], one))
    )
  if (Object.getPrototypeOf(expected) !== Object.prototype) return isDeepStrictEqual(found, expected)
  return Object.entries(expected).every(([name, one]) =>
    matches((found as Record<string, unknown>)[name], one),
  )
}
