import type { Redis } from 'ioredis'

/** One way of doing a thing, measured side by side with others. */
export interface Contender {
  readonly name: string
  /** What has to be there before anything is measured. */
  prepare?(): Promise<void>
  /** Does the work once, on an empty server if there is one, and answers how many events that were and how long it took. */
  run(): Promise<Work>
  /** The work is done by another program: its processor time is not this process's. */
  readonly outside?: boolean
  /** Processor time so far of the process that does the work, in µs. Default: this process's. */
  readonly cpuMicros?: () => number | undefined
}

/** How many events, and how long that took. */
export interface Work {
  readonly events: number
  readonly seconds: number
  /** From each event's append to the call of its handler, in ms; where that was what was measured. */
  readonly latencies?: readonly number[]
}

/** What a contender did and cost in one round. */
export interface Sample extends Work {
  /** Processor time of the process that does the work; all threads of it, garbage collection too. */
  readonly nodeMicros: number | undefined
  /** Processor time of the Redis server; all threads of it. Undefined where there is none. */
  readonly redisMicros: number | undefined
}

/**
 * Runs every contender twice a round, there and back again (a b c c b a), so that a slow minute of the machine hits
 * all of them. The first round warms up and does not count.
 */
export async function interleaved(
  contenders: readonly Contender[],
  rounds: number,
  redis: Redis | undefined,
  progress: (line: string) => void,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    const sums = new Map<string, Sample>()
    for (const contender of [...contenders, ...contenders.toReversed()]) {
      const sample = await measured(contender, redis)
      const before = sums.get(contender.name)
      sums.set(contender.name, before ? together(before, sample) : sample)
    }
    for (const [name, sum] of sums) if (round > 0) samples.get(name)?.push(sum)
    const rates = [...sums].map(([name, { events, seconds }]) => `${name} ${Math.round(events / seconds)}/s`)
    progress(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${rates.join(', ')}`)
  }
  return samples
}

function together(a: Sample, b: Sample): Sample {
  return {
    events: a.events + b.events,
    seconds: a.seconds + b.seconds,
    nodeMicros: a.nodeMicros === undefined ? undefined : a.nodeMicros + (b.nodeMicros ?? 0),
    redisMicros: a.redisMicros === undefined ? undefined : a.redisMicros + (b.redisMicros ?? 0),
    ...(a.latencies && b.latencies ? { latencies: [...a.latencies, ...b.latencies] } : {}),
  }
}

async function measured(contender: Contender, redis: Redis | undefined): Promise<Sample> {
  await redis?.flushall('SYNC')
  if (redis) await emptyAof(redis)
  await contender.prepare?.()
  const redisBefore = redis && (await redisCpuMicros(redis))
  const cpuMicros = contender.cpuMicros ?? ownCpuMicros
  const before = cpuMicros() ?? Number.NaN
  const work = await contender.run()
  const nodeMicros = (cpuMicros() ?? Number.NaN) - before
  const redisAfter = redis && (await redisCpuMicros(redis))
  return {
    ...work,
    nodeMicros: contender.outside || Number.isNaN(nodeMicros) ? undefined : nodeMicros,
    redisMicros: redisAfter === undefined || redisBefore === undefined ? undefined : redisAfter - redisBefore,
  }
}

function ownCpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

// The file would grow over the rounds, and a rewrite in the middle of a run would be measured with it.
async function emptyAof(redis: Redis): Promise<void> {
  await redis.bgrewriteaof()
  for (;;) {
    const info = await redis.info('persistence')
    if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function redisCpuMicros(redis: Redis): Promise<number> {
  const info = await redis.info('cpu')
  const seconds = (field: string) =>
    Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN)
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6
}

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2
}
