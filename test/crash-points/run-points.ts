import { startRedis } from '../support/redis.ts'
import { crashPoints } from './points.ts'
import { playPoint } from './play.ts'

/** What has become of each crash point, in their order. */
export interface PointReport {
  readonly what: string
  readonly faults: readonly string[]
}

/** Walks through the list, so often, a few at once, on a Redis of its own. */
export async function runCrashPoints(options: {
  /** Only those of the tests. */
  readonly quick?: boolean
  readonly rounds?: number
  readonly atOnce?: number
  readonly onProgress?: (line: string) => void
}): Promise<readonly PointReport[]> {
  const { rounds = 1, atOnce = 3, quick = false, onProgress } = options
  const chosen = crashPoints.flatMap((point, at) => (point.quick || !quick ? [at] : []))
  const redis = await startRedis()
  const reports: PointReport[] = []
  const left = Array.from({ length: rounds * chosen.length }, (_, at) => at)
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const at = chosen[next % chosen.length] ?? 0
      const faults = await playPoint(redis.url, at, `crash-${next}`)
      const what = crashPoints[at]?.what ?? ''
      reports[next] = { what, faults }
      onProgress?.(`${next + 1}: ${what}: ${faults.length === 0 ? 'fine' : faults.join('; ')}`)
    }
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, worker))
  } finally {
    await redis.stop()
  }
  return reports
}
