import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { landscape } from './dashboards/landscape.ts'
import { processors } from './dashboards/processors.ts'
import { redis } from './dashboards/redis.ts'
import { retries } from './dashboards/retries.ts'
import { signUp } from './dashboards/sign-up.ts'

/** All dashboards, in the order in which they are read. */
export const dashboards: readonly Dashboard[] = [landscape, processors, retries, signUp, redis]
