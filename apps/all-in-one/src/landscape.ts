import { accounts } from '@millrace/accounts'
import type { Topic } from '@millrace/event'
import { offers, sales } from '@millrace-app/leads/topics'
import { suggestions, supply } from '@millrace-app/restocking/topics'

/** A group that one of the services runs, and the topic that it follows. */
export interface ServiceGroup {
  readonly topic: Topic
  readonly group: string
}

/** The topics of all services. */
export const serviceTopics: readonly Topic[] = [accounts, offers, sales, supply, suggestions]

/** The groups of all services: what operators see, repair and ask about. */
export const serviceGroups: readonly ServiceGroup[] = [
  { topic: accounts, group: 'mail' },
  { topic: accounts, group: 'user-query' },
  { topic: offers, group: 'leads' },
  { topic: offers, group: 'legacy-feed' },
  { topic: sales, group: 'leads-view' },
  { topic: supply, group: 'restocking' },
  { topic: suggestions, group: 'restocking-view' },
]
