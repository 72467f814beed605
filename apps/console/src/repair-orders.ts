import { MillraceError } from '@millrace/event'
import { headerOf, jsonBody, type KitContext, type KitEnv, operation } from '@millrace/hono'
import { type DeadItem, Repairer, type RepairOrder, targetOfItem } from '@millrace/processor'
import type { Hono } from 'hono'
import { actionOf, answerOf } from './repair-answers.ts'
import { itemOf, notFound, placeOf } from './repair-places.ts'
import { selectionPage } from './repair-selection.ts'
import { keyRepairBody, type OrderInput, repairBody, selectionRepairBody } from './repairs-input.ts'
import type { RepairsApiOptions } from './repairs-options.ts'
import { outcomeSchema, outcomesSchema } from './repairs-output.ts'

const tags = ['repairs']

/** Repairs of one event, of a key, and of a selection. */
export function addRepairOrders(app: Hono<KitEnv>, options: RepairsApiOptions): void {
  const { store, log, sources } = options
  const repairer = new Repairer({ store, log, ...(sources ? { sources } : {}) })
  const refusals = [
    'repair.gone',
    'repair.overtaken',
    'repair.changed',
    'repair.pending',
    'request.forbidden',
  ] as const
  const corrections = ['event.invalid', 'source.missing', 'source.failed', 'source.refused'] as const
  app.post(
    '/dead-letters/:topic/:group/:partition/:seq/repairs',
    operation({
      summary: 'Repair one event',
      tags,
      answers: {
        200: { description: 'It is so: now, or since a repeat of this order', schema: outcomeSchema },
      },
      problems: [...notFound, ...refusals, ...corrections],
      idempotent: true,
      secured: true,
    }),
    jsonBody(repairBody),
    async (c) => {
      const input = c.req.valid('json')
      const order = orderOf(c, options, input)
      const { at, item } = await itemOf(options, c)
      const { parkNo } = input
      const target = { ...targetOfItem(item), ...(parkNo === undefined ? {} : { parkNo }) }
      return c.json(answerOf(await repairer.event(at, target, actionOf(input), order, c.req.raw.signal)))
    },
  )
  app.post(
    '/parked/:topic/:group/:partition/repairs',
    operation({
      summary: 'Repair a parked key as a whole: its line, then its head',
      tags,
      answers: { 200: { description: 'What has become of each event', schema: outcomesSchema } },
      problems: [...notFound, 'request.forbidden'],
      idempotent: true,
      secured: true,
    }),
    jsonBody(keyRepairBody),
    async (c) => {
      const input = c.req.valid('json')
      const order = orderOf(c, options, input)
      const outcomes = []
      for await (const outcome of repairer.key(placeOf(options, c), input.key, actionOf(input), order))
        outcomes.push(outcome)
      return c.json({ outcomes, next: null })
    },
  )
  app.post(
    '/dead-letters/repairs',
    operation({
      summary: 'Repair a selection, a page at a time',
      description:
        'Repeat with `after` as `next` says, and with the same Idempotency-Key, until `next` is null.',
      tags,
      answers: { 200: { description: 'What has become of each event of the page', schema: outcomesSchema } },
      problems: [...notFound, 'request.forbidden'],
      idempotent: true,
      secured: true,
    }),
    jsonBody(selectionRepairBody),
    async (c) => {
      const input = c.req.valid('json')
      const order = orderOf(c, options, input)
      const { at, taking, nextAfter } = selectionPage(options, input)
      const page = await store.deadItems(at, taking)
      const repair = (item: DeadItem) => repairer.event(at, targetOfItem(item), actionOf(input), order)
      const outcomes = []
      if (input.action === 'refetch') for (const item of page.items) outcomes.push(await repair(item))
      else outcomes.push(...(await Promise.all(page.items.map(repair))))
      return c.json({ outcomes, next: nextAfter(page.next) })
    },
  )
}

/** Who orders a repair, and how; throws `request.forbidden` for whoever may only look. */
export function orderOf(
  c: KitContext,
  { actorOf }: RepairsApiOptions,
  input: Pick<OrderInput, 'reason' | 'force' | 'dryRun'>,
): RepairOrder {
  const { reason, force, dryRun } = input
  const by = actorOf(c)
  const id = headerOf(c, 'idempotency-key')
  if (id !== undefined && !/^[!-~]{1,64}$/.test(id))
    throw new MillraceError('request.invalid', 'Idempotency-Key is 1 to 64 printable characters')
  return { by, reason, force, dryRun, ...(id === undefined ? {} : { id }) }
}
