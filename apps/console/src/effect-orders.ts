import { jsonBody, type KitEnv, operation } from '@millrace/hono'
import { type EffectAction, EffectRepairer, type GroupPartition } from '@millrace/processor'
import type { Hono } from 'hono'
import { effectRepairBody, effectsRepairBody, type EffectOrderInput } from './effects-input.ts'
import { effectOutcomeSchema, effectOutcomesSchema } from './effects-output.ts'
import { actionOf, answerOf } from './repair-answers.ts'
import { orderOf } from './repair-orders.ts'
import { defined, notFound, placeOf } from './repair-places.ts'
import { selectionPage } from './repair-selection.ts'
import type { RepairsApiOptions } from './repairs-options.ts'

const tags = ['repairs']

/** Repairs of one dead effect, and of a selection. */
export function addEffectOrders(app: Hono<KitEnv>, options: RepairsApiOptions): void {
  const { store, groups } = options
  const effectsOf = ({ topic, group }: GroupPartition) =>
    groups.find((one) => one.topic.name === topic.name && one.group === group)?.effects
  const repairer = new EffectRepairer({ store, effectsOf })
  app.post(
    '/effects/:topic/:group/:partition/:id/repairs',
    operation({
      summary: 'Repair one dead effect',
      tags,
      answers: {
        200: { description: 'It is so: now, or since a repeat of this order', schema: effectOutcomeSchema },
      },
      problems: [
        ...notFound,
        ...(['repair.gone', 'repair.overtaken', 'repair.changed', 'repair.pending'] as const),
        ...(['request.forbidden', 'event.invalid', 'effect.unknown'] as const),
      ],
      idempotent: true,
      secured: true,
    }),
    jsonBody(effectRepairBody),
    async (c) => {
      const input = c.req.valid('json')
      const order = orderOf(c, options, input)
      const target = { idempotencyKey: c.req.param('id'), ...defined({ turn: input.turn }) }
      return c.json(answerOf(await repairer.one(placeOf(options, c), target, effectAction(input), order)))
    },
  )
  app.post(
    '/effects/repairs',
    operation({
      summary: 'Repair a selection of dead effects, a page at a time',
      description:
        'Repeat with `after` as `next` says, and with the same Idempotency-Key, until `next` is null.',
      tags,
      answers: {
        200: { description: 'What has become of each effect of the page', schema: effectOutcomesSchema },
      },
      problems: [...notFound, 'request.forbidden'],
      idempotent: true,
      secured: true,
    }),
    jsonBody(effectsRepairBody),
    async (c) => {
      const input = c.req.valid('json')
      const order = orderOf(c, options, input)
      const { at, taking, nextAfter } = selectionPage(options, input)
      const page = await store.deadEffects(at, taking)
      const action = effectAction(input)
      const outcomes = await Promise.all(
        page.items.map(({ effect }) => repairer.one(at, effect, action, order)),
      )
      return c.json({ outcomes, next: nextAfter(page.next) })
    },
  )
}

function effectAction(input: EffectOrderInput): EffectAction {
  const action = actionOf(input)
  // There is nothing else in the input.
  if (action.do === 'refetch') throw new TypeError('Bug: effects have no source of truth')
  return action
}
