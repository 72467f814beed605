import { MillraceError } from '@millrace/event'
import { type KitEnv, operation, queryFields } from '@millrace/hono'
import type { GroupPartition } from '@millrace/processor'
import type { Hono } from 'hono'
import { z } from 'zod'
import { effectQuery } from './effects-input.ts'
import { effectDetailSchema, effectPageSchema, shownEffect, shownEffectDetail } from './effects-output.ts'
import { type PagePlace, pageThrough } from './partition-pages.ts'
import { defined, notFound, placeOf } from './repair-places.ts'
import type { RepairsApiOptions } from './repairs-options.ts'

const tags = ['repairs']

/** Dead effects, and everything that is known of one. */
export function addEffectLists(app: Hono<KitEnv>, options: RepairsApiOptions): void {
  const { store } = options
  app.get(
    '/effects',
    operation({
      summary: 'Dead effects of a group, partition by partition, those that died first before others',
      description: 'A page may be short, even empty, and still have a next one.',
      tags,
      answers: { 200: { description: 'A page', schema: effectPageSchema } },
      problems: notFound,
      secured: true,
    }),
    queryFields(effectQuery),
    async (c) => {
      const { topic, group, partition, after, limit, class: reasonClass, ...rest } = c.req.valid('query')
      const filter = defined({ ...rest, reasonClass })
      const asked = { topic, group, partition, after, limit }
      const read = (at: GroupPartition, place: PagePlace) => store.deadEffects(at, { filter, ...place })
      return c.json(await pageThrough(options, asked, read, shownEffect))
    },
  )
  app.get(
    '/effects/:topic/:group/:partition/:id',
    operation({
      summary: 'One open effect: payload, reason, stack, every attempt, what has overtaken it',
      description: 'Texts and data are masked; with plain=true they are not, for whoever may repair.',
      tags,
      answers: { 200: { description: 'All that is known', schema: effectDetailSchema } },
      problems: [...notFound, 'repair.gone', 'request.forbidden'],
      secured: true,
    }),
    queryFields(z.object({ plain: z.enum(['true', 'false']).default('false') })),
    async (c) => {
      const plain = c.req.valid('query').plain === 'true'
      if (plain) options.actorOf(c)
      const at = placeOf(options, c)
      const effect = await store.effectNamed(at, c.req.param('id'))
      if (!effect) throw new MillraceError('repair.gone', 'There is no open effect of this idempotency key')
      const probe = { id: 'show', kind: 'requeued', by: 'show', reason: 'show', dryRun: true } as const
      const { idempotencyKey } = effect
      const asked = await store.ruleEffect(at, { ...probe, idempotencyKey })
      const overtaken = asked.status === 'ruled' ? asked.overtaken : undefined
      return c.json(shownEffectDetail(effect, at, { overtaken, plain }))
    },
  )
}
