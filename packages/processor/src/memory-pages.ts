import type { Page } from '@millrace/log'
import type { PageOptions } from './group-partition.ts'

/** A page of a list, by a number that orders it. */
export function pageOf<T>(
  all: readonly T[],
  orderOf: (item: T) => number,
  { after, limit = 100 }: PageOptions,
): Page<T> {
  const items = all
    .filter((item) => after === undefined || orderOf(item) > Number(after))
    .toSorted((a, b) => orderOf(a) - orderOf(b))
    .slice(0, limit)
  const last = items.at(-1)
  return { items, next: items.length === limit && last !== undefined ? String(orderOf(last)) : undefined }
}
