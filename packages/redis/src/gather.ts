import { limits, MillraceError, partitionOfKey, type Topic } from '@millrace/event'
import { type AppendResult, type AppendUnit, prepare, type Prepared } from '@millrace/log'

interface Waiting {
  readonly unit: Prepared
  readonly resolve: (result: AppendResult) => void
  readonly reject: (error: unknown) => void
}

/** Appends the gathered units of one partition. */
export type Flush = (
  topic: Topic,
  partition: number,
  units: readonly Prepared[],
) => Promise<readonly AppendResult[]>

// A smaller script keeps other clients' waits short; PERFORMANCE: little is won beyond 200 a batch.
const mostUnits = 200

/** Gathers what one turn of the event loop appends to a partition, so that it costs one script call. */
export class Gather {
  readonly #flush: Flush
  readonly #queues = new Map<string, { topic: Topic; partition: number; waiting: Waiting[] }>()
  #scheduled = false

  constructor(flush: Flush) {
    this.#flush = flush
  }

  add(topic: Topic, draft: AppendUnit): Promise<AppendResult> {
    const unit = prepare(topic, draft)
    if (unit instanceof MillraceError) return Promise.resolve({ status: 'refused', error: unit })
    const partition = partitionOfKey(topic, unit.key)
    const name = `${topic.name}/${partition}`
    let queue = this.#queues.get(name)
    if (!queue) this.#queues.set(name, (queue = { topic, partition, waiting: [] }))
    const { waiting } = queue
    if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => this.#flushAll())
    }
    return new Promise((resolve, reject) => waiting.push({ unit, resolve, reject }))
  }

  #flushAll(): void {
    this.#scheduled = false
    const queues = [...this.#queues.values()]
    this.#queues.clear()
    for (const { topic, partition, waiting } of queues)
      for (const chunk of chunks(waiting)) void this.#send(topic, partition, chunk)
  }

  async #send(topic: Topic, partition: number, waiting: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#flush(
        topic,
        partition,
        waiting.map((one) => one.unit),
      )
      for (const [at, one] of waiting.entries()) {
        const result = results[at]
        if (result) one.resolve(result)
        else one.reject(new Error('The append script answered too few results'))
      }
    } catch (error) {
      for (const one of waiting) one.reject(error)
    }
  }
}

/** Splits at the script's limits: so many units, events and bytes. */
function* chunks(waiting: readonly Waiting[]): Generator<readonly Waiting[]> {
  let chunk: Waiting[] = []
  let events = 0
  let bytes = 0
  for (const one of waiting) {
    const more = one.unit.texts.length
    const full =
      chunk.length >= mostUnits ||
      events + more > limits.appendEvents ||
      bytes + one.unit.bytes > limits.appendBytes
    if (chunk.length > 0 && full) {
      yield chunk
      chunk = []
      events = 0
      bytes = 0
    }
    chunk.push(one)
    events += more
    bytes += one.unit.bytes
  }
  if (chunk.length > 0) yield chunk
}
