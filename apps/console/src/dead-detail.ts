import { type KitEnv, operation, queryFields } from '@millrace/hono'
import type { Hono } from 'hono'
import { z } from 'zod'
import { itemOf, notFound } from './repair-places.ts'
import type { RepairsApiOptions } from './repairs-options.ts'
import { deadDetailSchema, shownDetail } from './repairs-output.ts'

const tags = ['repairs']

/** Everything that is known of one dead letter or held key. */
export function addDeadDetail(app: Hono<KitEnv>, options: RepairsApiOptions): void {
  app.get(
    '/dead-letters/:topic/:group/:partition/:seq',
    operation({
      summary: 'One of them: event, reason, stack, every attempt, what has overtaken it',
      description: 'Texts and data are masked; with plain=true they are not, for whoever may repair.',
      tags,
      answers: { 200: { description: 'All that is known', schema: deadDetailSchema } },
      problems: [...notFound, 'repair.gone', 'request.forbidden'],
      secured: true,
    }),
    queryFields(z.object({ plain: z.enum(['true', 'false']).default('false') })),
    async (c) => {
      const { store, log } = options
      const plain = c.req.valid('query').plain === 'true'
      if (plain) options.actorOf(c)
      const { at, item } = await itemOf(options, c)
      const { seq, key } = item
      const id = item.letter?.id ?? item.parked?.note.id ?? ''
      const probe = {
        id: 'show',
        seq,
        key,
        kind: 'requeued',
        by: 'show',
        reason: 'show',
        dryRun: true,
      } as const
      const [recorded, rulings, late] = await Promise.all([
        log.readAt(at.topic, { topic: at.topic.name, partition: at.partition, id, seq }),
        store.rulings(at, [seq]),
        item.status === 'dead' ? store.rule(at, probe) : undefined,
      ])
      const overtaken = late?.status === 'ruled' ? late.overtaken : undefined
      return c.json(
        shownDetail(item, at, { event: recorded?.event, ruling: rulings.get(seq), overtaken, plain }),
      )
    },
  )
}
