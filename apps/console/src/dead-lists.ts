import { type KitEnv, operation, queryFields } from '@millrace/hono'
import type { GroupPartition } from '@millrace/processor'
import type { Hono } from 'hono'
import { type PagePlace, pageThrough } from './partition-pages.ts'
import { defined, groupNamed, groupPartition, notFound } from './repair-places.ts'
import { deadQuery, groupQuery, pageQuery } from './repairs-input.ts'
import type { RepairsApiOptions } from './repairs-options.ts'
import { deadPageSchema, shownItem, shownKey } from './repairs-output.ts'

const tags = ['repairs']

/** Dead letters and held keys, parked keys, and the audit log of repairs. */
export function addDeadLists(app: Hono<KitEnv>, options: RepairsApiOptions): void {
  const { store } = options
  app.get(
    '/dead-letters',
    operation({
      summary: 'Dead letters and held keys of a group, partition by partition, oldest first',
      description: 'A page may be short, even empty, and still have a next one.',
      tags,
      answers: { 200: { description: 'A page', schema: deadPageSchema } },
      problems: notFound,
      secured: true,
    }),
    queryFields(deadQuery),
    async (c) => {
      const { topic, group, partition, after, limit, class: reasonClass, ...rest } = c.req.valid('query')
      const filter = defined({ ...rest, reasonClass })
      const asked = { topic, group, partition, after, limit }
      const read = (at: GroupPartition, place: PagePlace) => store.deadItems(at, { filter, ...place })
      return c.json(await pageThrough(options, asked, read, shownItem))
    },
  )
  app.get(
    '/dead-letters/counts',
    operation({
      summary: 'How many there are of each class of reasons and of each type, by partition',
      tags,
      answers: { 200: { description: 'Counts' } },
      problems: notFound,
      secured: true,
    }),
    queryFields(groupQuery),
    async (c) => {
      const { topic, group } = c.req.valid('query')
      const known = groupNamed(options, topic, group)
      const places = Array.from({ length: known.topic.partitions }, (_, partition) => ({
        ...known,
        partition,
      }))
      const counts = await Promise.all(places.map((place) => store.deadCounts(place)))
      return c.json({ partitions: counts.map((count, partition) => ({ partition, ...count })) })
    },
  )
  app.get(
    '/parked',
    operation({
      summary: 'Parked keys of a partition, those with the earliest heads first',
      tags,
      answers: { 200: { description: 'A page' } },
      problems: notFound,
      secured: true,
    }),
    queryFields(pageQuery),
    async (c) => {
      const { topic, group, partition, ...page } = c.req.valid('query')
      const place = groupPartition(groupNamed(options, topic, group), partition)
      const { items, next } = await store.parked(place, defined(page))
      return c.json({ items: items.map((parked) => shownKey(parked, partition)), next: next ?? null })
    },
  )
  app.get(
    '/repairs',
    operation({
      summary: 'The audit log of repairs of a partition, latest first',
      tags,
      answers: { 200: { description: 'A page' } },
      problems: notFound,
      secured: true,
    }),
    queryFields(pageQuery),
    async (c) => {
      const { topic, group, partition, ...page } = c.req.valid('query')
      const place = groupPartition(groupNamed(options, topic, group), partition)
      const { items, next } = await store.repairEntries(place, defined(page))
      return c.json({ items, next: next ?? null })
    },
  )
}
