import type { Health } from '@millrace/service'

/**
 * Makes a process not ready until all of its services answer: who asks before is told so, because the operator's
 * addresses are among the first to be there. What it returns says that they do.
 */
export function beingStarted(health: Pick<Health, 'starting'>): () => void {
  return health.starting('services')
}
