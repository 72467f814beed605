import type { GroupPlace } from './group-place.ts'

/** Removes outbox entries that were forwarded; answers how many were there. */
export async function removeForwarded(
  { redis, scripts, names }: GroupPlace,
  ids: readonly string[],
): Promise<number> {
  if (ids.length > 1_000) throw new TypeError('At most 1,000 outbox entries can be removed at once')
  if (ids.length === 0) return 0
  return (await scripts.forwarded.run(redis, [names.group, names.outbox], ids)) as number
}
