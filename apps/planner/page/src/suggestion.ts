/** A suggestion as the service tells it. */
export interface Suggestion {
  readonly id: string
  readonly order: string
  readonly line: number
  readonly product: string
  readonly productName: string
  readonly supplier: string
  readonly quantity: number
  readonly dueOn: string
  readonly kind: 'cancel' | 'postpone' | 'bring-forward'
  readonly proposedDueOn?: string
  readonly numbers: Readonly<Record<string, number>>
  readonly reason: string
  readonly status: Status
  readonly statusReason?: string
  readonly snoozedUntil?: string
}

export type Status =
  | 'open'
  | 'snoozed'
  | 'in-progress'
  | 'completed'
  | 'needs-attention'
  | 'dismissed'
  | 'withdrawn'

export const statusNames: Readonly<Record<Status, string>> = {
  open: 'Open',
  'needs-attention': 'Needs attention',
  'in-progress': 'Under way',
  snoozed: 'Snoozed',
  completed: 'Completed',
  dismissed: 'Dismissed',
  withdrawn: 'Withdrawn',
}

export const kindNames: Readonly<Record<Suggestion['kind'], string>> = {
  cancel: 'Cancel',
  postpone: 'Postpone',
  'bring-forward': 'Bring forward',
}

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })

/** A date as its reader writes it. */
export function dayText(day: string): string {
  return dates.format(new Date(`${day}T00:00:00Z`))
}

/** What is to be done, in a few words. */
export function wishText({ kind, proposedDueOn }: Suggestion): string {
  return proposedDueOn === undefined ? kindNames[kind] : `${kindNames[kind]} to ${dayText(proposedDueOn)}`
}
