import type { KitEnv } from '@millrace/hono'
import { Hono } from 'hono'
import { addDeadDetail } from './dead-detail.ts'
import { addDeadLists } from './dead-lists.ts'
import { addEffectLists } from './effect-lists.ts'
import { addEffectOrders } from './effect-orders.ts'
import { addRepairOrders } from './repair-orders.ts'
import type { RepairsApiOptions } from './repairs-options.ts'

/** Everything that it answers lies below these: what a guard has to stand before. */
export const repairPaths = [
  '/dead-letters',
  '/dead-letters/*',
  '/parked',
  '/parked/*',
  '/repairs',
  '/effects',
  '/effects/*',
] as const

/**
 * The interface of dead letters, parked keys and their repair. It knows no login: mount it below one, which also
 * refuses whoever may not look.
 */
export function createRepairsApi(options: RepairsApiOptions): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  addDeadLists(app, options)
  addDeadDetail(app, options)
  addRepairOrders(app, options)
  addEffectLists(app, options)
  addEffectOrders(app, options)
  return app
}
