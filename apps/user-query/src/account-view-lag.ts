import { accounts } from '@millrace/accounts'
import type { EventLog } from '@millrace/log'
import type { ViewStore } from '@millrace/view'
import type { AccountRows } from './account-rows.ts'

/** How many events on the log are not in the view, by partition. */
export async function accountViewLag(
  log: Pick<EventLog, 'tips'>,
  view: Pick<ViewStore<AccountRows>, 'checkpoints'>,
): Promise<Readonly<Record<string, number>>> {
  // Checkpoints first: the view may go on meanwhile, and a lag below zero would be none.
  const checkpoints = await view.checkpoints()
  const tips = await log.tips(accounts)
  return Object.fromEntries(
    tips.map(({ partition, seq }) => [String(partition), seq - (checkpoints.get(partition)?.seq ?? 0)]),
  )
}
