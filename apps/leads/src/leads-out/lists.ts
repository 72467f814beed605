import { derivedId, MillraceError, newEvent } from '@millrace/event'
import { type httpApp, operation, queryFields } from '@millrace/hono'
import { appendOne, type EventLog, formatPosition, parsePosition, type Position } from '@millrace/log'
import type { CheckpointWatch, ViewStore } from '@millrace/view'
import { z } from 'zod'
import { about } from '../leads-api.ts'
import { sales } from '../sales-topic.ts'
import type { CallTaskRow, SalesRows } from '../view/sales-rows.ts'

/** What the lists need. */
export interface ListPorts {
  readonly view: ViewStore<SalesRows>
  readonly watch: CheckpointWatch
  readonly log: Pick<EventLog, 'append'>
  /** How long a read with `after` waits, in ms. */
  readonly waitMs: number
}

const yesOrNo = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .optional()
const part = {
  cursor: z.string().max(200).optional().describe('As `next` of the part before gave it'),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  after: z
    .string()
    .max(200)
    .optional()
    .describe('Wait until this position of the topic sales is in the list'),
}
const leadsQuery = z.object({
  low: yesOrNo.describe('Those with a low lead, or those without'),
  high: yesOrNo.describe('Those with a high lead, or those without'),
  car: z.string().max(200).optional().describe('Those with a high lead for this car'),
  ...part,
})
const tasksQuery = z.object({
  state: z.enum(['open', 'done', 'cancelled']).optional(),
  buyer: z.string().max(100).optional(),
  ...part,
})

/** Producer of the events; with their ids their identity, so it never changes. */
const source = '/millrace/leads/tasks'

/** `GET /leads`, `GET /tasks`, `POST /tasks/{id}/done`. */
export function addLists(app: ReturnType<typeof httpApp>, ports: ListPorts): void {
  const { view, watch, waitMs } = ports
  const reached = async (after: string | undefined) => {
    if (after !== undefined) await watch.reached(salesPosition(after), waitMs)
  }

  app.get('/leads', operation(about.listing), queryFields(leadsQuery), async (c) => {
    const { low, high, car, cursor, limit, after } = c.req.valid('query')
    await reached(after)
    const rows = await view.read((tx) => tx.leads({ low, high, car }, { cursor, limit }))
    const leads = rows.map(({ buyer, low: isLow, high: cars, open, quotes, contacted }) => ({
      ...{ buyer, low: isLow, high: cars, open, quotes, contacted },
    }))
    return c.json({ leads, next: rows.length === limit ? (rows.at(-1)?.buyer ?? null) : null })
  })

  app.get('/tasks', operation(about.listingTasks), queryFields(tasksQuery), async (c) => {
    const { state, buyer, cursor, limit, after } = c.req.valid('query')
    await reached(after)
    const tasks = await view.read((tx) => tx.tasks({ state, buyer }, { cursor, limit }))
    return c.json({ tasks, next: tasks.length === limit ? (tasks.at(-1)?.id ?? null) : null })
  })

  app.post('/tasks/:id/done', operation(about.doing), async (c) => {
    const id = c.req.param('id')
    const task = await view.read((tx) => tx.task(id))
    const position = await done(ports, task, { correlationId: c.get('correlationId') })
    return c.json({ task: id, position: formatPosition(position) })
  })
}

async function done(
  { log }: ListPorts,
  task: CallTaskRow | undefined,
  { correlationId }: { readonly correlationId: string },
): Promise<Position> {
  if (!task) throw new MillraceError('task.unknown')
  if (task.state === 'cancelled') throw new MillraceError('task.closed')
  // Said twice it is the same event: the log answers with its first place.
  const event = newEvent(sales, {
    type: 'CallTaskDone',
    id: derivedId('call-done', task.id),
    key: task.buyer,
    source,
    data: { task: task.id },
    correlationId,
  })
  const result = await appendOne(log, sales, { events: [event] })
  const position = result.status === 'unchanged' ? result.position : result.positions[0]
  if (!position) throw new TypeError('The log answered without a position')
  return position
}

function salesPosition(text: string): Position {
  const position = parsePosition(text)
  if (position.topic !== sales.name || position.partition >= sales.partitions)
    throw new MillraceError('position.invalid', `The position is none of the topic ${sales.name}`)
  return position
}
