import type { Health } from '@millrace/service'

/**
 * Makes a process not ready until all of its services answer: who asks before is told so, because the operator's
 * addresses are among the first to be there. What it returns says that they do.
 */
export function beingStarted(health: Pick<Health, 'add'>): () => void {
  let started = false
  health.add({
    name: 'services',
    check: () => (started ? undefined : { state: 'down', message: 'are being started' }),
  })
  return () => {
    started = true
  }
}
