import { type KitEnv, operation, queryFields } from '@millrace/hono'
import type { Hono } from 'hono'
import { cursorOf, defined, groupNamed, notFound } from './repair-places.ts'
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
      const from = cursorOf(after, partition ?? 0)
      const items: ReturnType<typeof shownItem>[] = []
      const known = groupNamed(options, topic, group)
      const last = partition ?? known.topic.partitions - 1
      for (let at = from.partition; at <= last; at += 1) {
        const place = { ...known, partition: at }
        const page = await store.deadItems(place, {
          filter,
          limit: limit - items.length,
          ...(at === from.partition && from.after !== undefined ? { after: from.after } : {}),
        })
        items.push(...page.items.map((item) => shownItem(item, place)))
        if (page.next !== undefined) return c.json({ items, next: `${at} ${page.next}` })
        if (items.length >= limit && at < last) return c.json({ items, next: String(at + 1) })
      }
      return c.json({ items, next: null })
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
      const { items, next } = await store.parked(
        { ...groupNamed(options, topic, group), partition },
        defined(page),
      )
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
      const place = { ...groupNamed(options, topic, group), partition }
      const { items, next } = await store.repairEntries(place, defined(page))
      return c.json({ items, next: next ?? null })
    },
  )
}
