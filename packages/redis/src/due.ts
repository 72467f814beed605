import type { DueAnswer, DueBy, DueKey, Ruling } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'

/** Marks a parked key as due; may be repeated. */
export async function markDue(
  { redis, scripts, names }: GroupPlace,
  { key, parkNo, by, nowMs }: { key: string; parkNo: number; by: DueBy; nowMs: number },
): Promise<DueAnswer> {
  const keys = [names.parked, names.parkedDue]
  return (await scripts.markDue.run(redis, keys, [key, parkNo, by, nowMs])) as DueAnswer
}

/** Keys that are marked, those that were marked first at first. */
export async function dueKeys(
  { redis, names }: GroupPlace,
  nowMs: number,
  limit: number,
): Promise<readonly DueKey[]> {
  const flat = await redis.zrangebyscore(names.parkedDue, '-inf', nowMs, 'WITHSCORES', 'LIMIT', 0, limit)
  return Array.from({ length: flat.length / 2 }, (_, at) => ({
    key: flat[at * 2] ?? '',
    atMs: Number(flat[at * 2 + 1]),
  }))
}

/** What operators have decided about events. */
export async function rulingsOf(
  { redis, names }: GroupPlace,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, Ruling>> {
  if (seqs.length > 1_000) throw new TypeError('At most 1,000 events can be looked up at once')
  if (seqs.length === 0) return new Map()
  const texts = await redis.hmget(names.rulings, ...seqs.map(String), ...seqs.map((seq) => `${seq} ran`))
  return new Map(
    seqs.flatMap((seq, at): [number, Ruling][] => {
      const text = texts[at]
      if (typeof text !== 'string') return []
      return [[seq, { ...(JSON.parse(text) as Ruling), ...ranOf(texts[seqs.length + at]) }]]
    }),
  )
}

/** Where the late run of a dead letter came. */
function ranOf(text: string | null | undefined): Pick<Ruling, 'ran'> {
  const [afterSeq, no] = text?.split(' ').map(Number) ?? []
  return afterSeq === undefined || no === undefined ? {} : { ran: { afterSeq, no } }
}
