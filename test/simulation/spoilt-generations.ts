import type { GroupPartition } from '@millrace/processor'
import type { Keys } from '../../packages/redis/src/keys.ts'

/** What can be of a foreign type while a replay freezes, switches or drops, by the call. `built`: of the building generation. */
const ofReplays = {
  freeze: ['meta', 'group', 'built group'],
  switch: ['group', 'journal', 'built group', 'built states', 'built timers', 'built journal'],
  dropGeneration: ['built group'],
} as const

/** What a call of a replay says of the generation that it is about. */
type Said =
  | Pick<Required<GroupPartition>, 'generation'>
  | { readonly building: Pick<Required<GroupPartition>, 'generation'> }

/** Each of them: what is spoilt, and the call that meets it. */
export const spoiltForReplays: readonly (readonly [name: string, call: string])[] = Object.entries(
  ofReplays,
).flatMap(([call, names]) => names.map((name) => [name, call] as const))

/** The names of the generation that a call is about. */
export function builtNames(
  keys: Keys,
  at: GroupPartition,
  content: unknown,
): Readonly<Record<string, string>> {
  const said = content as Said
  const { generation } = 'building' in said ? said.building : said
  const names = keys.group(at.topic, at.partition, at.group, generation)
  return Object.fromEntries(Object.entries(names).map(([name, key]) => [`built ${name}`, key]))
}
