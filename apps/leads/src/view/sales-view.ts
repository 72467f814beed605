import { upcast } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { View } from '@millrace/view'
import { type SalesEvent, sales } from '../sales-topic.ts'
import type { CallTaskRow, LeadRow, SalesRows, TaskState } from './sales-rows.ts'

/** Leads and call tasks as lists. */
export const salesView: View<SalesRows> = {
  name: 'leads-view',
  topic: sales,
  fold,
  lastSeqs: async (rows, buyers) =>
    new Map((await rows.leadsOf(buyers)).map(({ buyer, lastSeq }) => [buyer, lastSeq])),
  rewind: async (rows, { partition, seq }, history) => {
    const touched = await rows.touchedAfter(partition, seq)
    await rows.remove(touched)
    for (const buyer of touched) for (const recorded of await history(buyer)) await fold(rows, recorded)
    return touched.length > 0 ? 'more' : 'done'
  },
}

async function fold(rows: SalesRows, recorded: Recorded): Promise<void> {
  const [before] = await rows.leadsOf([recorded.event.subject])
  const { partition, seq } = recorded.position
  const aged = { ...(before ?? unknownLead(recorded.event.subject)), partition, lastSeq: seq }
  // Of a type that a newer program has brought it says nothing.
  const event = Object.hasOwn(sales.types, recorded.event.type) ? upcast(sales, recorded.event) : undefined
  await rows.putLead(event ? changedLead(aged, event) : aged)
  if (event) await foldTask(rows, event, recorded)
}

function unknownLead(buyer: string): Omit<LeadRow, 'partition' | 'lastSeq'> {
  return { buyer, low: false, high: [], open: 0, quotes: 0, contacted: false }
}

function changedLead(row: LeadRow, event: SalesEvent): LeadRow {
  switch (event.type) {
    case 'LeadsChanged':
      return { ...row, ...event.data }
    case 'QuoteMade':
      return { ...row, quotes: row.quotes + 1 }
    case 'BuyerContacted':
      return { ...row, contacted: true }
    case 'CallTaskOpened':
    case 'CallTaskCancelled':
    case 'CallTaskDone':
      return row
  }
}

async function foldTask(rows: SalesRows, event: SalesEvent, { event: { subject } }: Recorded): Promise<void> {
  if (event.type === 'CallTaskOpened') {
    const { task: id, ...of } = event.data
    const times = { openedAt: event.time, changedAt: event.time }
    if (!(await rows.task(id))) await rows.putTask({ id, buyer: subject, ...of, state: 'open', ...times })
  }
  if (event.type === 'CallTaskCancelled') await endTask(rows, event.data.task, 'cancelled', event.time)
  if (event.type === 'CallTaskDone') await endTask(rows, event.data.task, 'done', event.time)
}

/** What comes first counts: a call that was made cannot be called off any more. */
async function endTask(rows: SalesRows, id: string, state: TaskState, at: string): Promise<void> {
  const task: CallTaskRow | undefined = await rows.task(id)
  if (task?.state === 'open') await rows.putTask({ ...task, state, changedAt: at })
}
