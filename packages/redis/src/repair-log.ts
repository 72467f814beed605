import type { Page } from '@millrace/log'
import type { PageOptions, RepairEntry } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'

/** A page of the audit log of repairs, latest entries first. */
export async function repairsPage(
  { redis, names }: GroupPlace,
  { after, limit = 100 }: PageOptions,
): Promise<Page<RepairEntry>> {
  const entries = await redis.xrevrange(
    names.repairs,
    after === undefined ? '+' : `(${after}`,
    '-',
    'COUNT',
    limit,
  )
  const items = entries.map(([no, fields]) => entryOf(no, fields))
  return { items, next: items.length === limit ? items.at(-1)?.no : undefined }
}

function entryOf(no: string, fields: readonly string[]): RepairEntry {
  const said = new Map<string, string>()
  for (let at = 0; at < fields.length; at += 2) said.set(fields[at] ?? '', fields[at + 1] ?? '')
  const text = (name: string) => said.get(name) ?? ''
  const { by, reason } = JSON.parse(text('said')) as Pick<RepairEntry, 'by' | 'reason'>
  const [count = 0, first = 0, last = 0] = text('overtaken').split(' ').map(Number)
  return {
    no,
    id: text('id'),
    seq: Number(text('seq')),
    key: text('key'),
    kind: text('kind') as RepairEntry['kind'],
    on: text('on') as RepairEntry['on'],
    by,
    reason,
    atMs: Number(text('ms')),
    ...(count > 0 ? { overtaken: { count, first, last } } : {}),
    ...(said.has('effect') ? { effect: text('effect') } : {}),
  }
}
