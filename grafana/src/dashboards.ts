import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { changeStreams } from './dashboards/change-streams.ts'
import { landscape } from './dashboards/landscape.ts'
import { leads } from './dashboards/leads.ts'
import { processors } from './dashboards/processors.ts'
import { redis } from './dashboards/redis.ts'
import { restocking } from './dashboards/restocking.ts'
import { retries } from './dashboards/retries.ts'
import { signUp } from './dashboards/sign-up.ts'

/** All dashboards, in the order in which they are read. */
export const dashboards: readonly Dashboard[] = [
  landscape,
  processors,
  retries,
  signUp,
  changeStreams,
  restocking,
  leads,
  redis,
]
