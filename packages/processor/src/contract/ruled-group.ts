import type { RuleRequest, RuleResult } from '../repairs.ts'
import type { LeasedGroup } from './group-fixture.ts'

/** Opens a leased group whose log has an event of each key. */
export type Open = (...keys: readonly string[]) => Promise<LeasedGroup>

/** The ruling that {@link rule} makes. */
export const said = {
  id: 'r1',
  seq: 1,
  key: 'a',
  kind: 'ignored',
  by: 'ada',
  reason: 'not worth it: "Zoë" \\',
} as const

/** Rules on the first event of key a, unless something else is said. */
export function rule(group: LeasedGroup, parts: Partial<RuleRequest> = {}): Promise<RuleResult> {
  return group.store.rule(group.at, { ...said, ...parts })
}
