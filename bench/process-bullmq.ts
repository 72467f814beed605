import { type Job, Queue, Worker } from 'bullmq'
import type { Work } from './measure.ts'

const concurrency = 200
const bulk = 100

/** Producer and worker at once, by BullMQ: at least once, no order by key, no state. */
export async function throughBullmq(port: number, events: number): Promise<Work> {
  const connection = { host: '127.0.0.1', port }
  const queue = new Queue('bench', { connection })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let sums = 0
  let done = 0
  const handle = async ({ data }: Job<{ n: number }>) => void (sums += data.n)
  const worker = new Worker<{ n: number }>('bench', handle, {
    connection: { ...connection, maxRetriesPerRequest: null },
    concurrency,
  })
  worker.on('completed', () => {
    if (++done === events) resolve()
  })
  worker.on('error', reject)
  try {
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
    const start = performance.now()
    for (let from = 0; from < events; from += bulk)
      await queue.addBulk(
        Array.from({ length: bulk }, (_, at) => ({
          name: 'Read',
          data: { n: from + at, note: 'x' },
          opts: { removeOnComplete: true },
        })),
      )
    await promise
    if (sums !== (events * (events - 1)) / 2) throw new Error('BullMQ has lost something')
    return { events, seconds: (performance.now() - start) / 1_000 }
  } finally {
    await worker.close()
    await queue.close()
  }
}
