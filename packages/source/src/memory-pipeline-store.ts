import { type Clock, freshId, systemClock } from '@millrace/event'
import type {
  LeaseAnswer,
  LeaseRequest,
  PipelineOrders,
  PipelineRecord,
  PipelineStore,
} from './pipeline-store.ts'

interface Kept {
  counter: number
  token: string
  holder: string | undefined
  untilMs: number
  status: string
  paused: boolean
  resumed: number
  restarted: number
  readonly snapshots: Record<string, number>
}

/** Makes a store of pipelines in memory: for tests, and for readers that all live in one process. */
export function createMemoryPipelineStore(clock: Clock = systemClock): PipelineStore {
  return new InMemoryPipelineStore(clock)
}

class InMemoryPipelineStore implements PipelineStore {
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async take({ pipeline, holder, leaseMs, above = 0 }: LeaseRequest): Promise<LeaseAnswer> {
    const kept = this.#of(pipeline)
    const leftMs = kept.untilMs - this.#clock.now()
    if (leftMs > 0 && kept.holder !== holder) return { status: 'held', holder: kept.holder ?? '', leftMs }
    kept.counter = Math.max(kept.counter, above) + 1
    kept.token = `${kept.counter}-${freshId()}`
    kept.holder = holder
    kept.untilMs = this.#clock.now() + leaseMs
    return { status: 'leased', token: kept.token }
  }

  async renew(
    pipeline: string,
    token: string,
    leaseMs: number,
    status: string,
  ): Promise<PipelineOrders | undefined> {
    const kept = this.#of(pipeline)
    if (kept.token !== token) return undefined
    kept.untilMs = this.#clock.now() + leaseMs
    kept.status = status
    return ordersOf(kept)
  }

  async release(pipeline: string, token: string, status: string): Promise<void> {
    const kept = this.#of(pipeline)
    if (kept.token !== token) return
    kept.token = ''
    kept.untilMs = 0
    kept.status = status
  }

  async list(): Promise<readonly PipelineRecord[]> {
    return [...this.#kept.keys()].toSorted().map((name) => this.#record(name))
  }

  async look(pipeline: string): Promise<PipelineRecord | undefined> {
    return this.#kept.has(pipeline) ? this.#record(pipeline) : undefined
  }

  async pause(pipeline: string): Promise<void> {
    this.#of(pipeline).paused = true
  }

  async resume(pipeline: string): Promise<void> {
    const kept = this.#of(pipeline)
    kept.paused = false
    kept.resumed += 1
  }

  async restart(pipeline: string): Promise<void> {
    this.#of(pipeline).restarted += 1
    await this.resume(pipeline)
  }

  async snapshot(pipeline: string, table: string): Promise<number> {
    const { snapshots } = this.#of(pipeline)
    return (snapshots[table] = (snapshots[table] ?? 1) + 1)
  }

  #record(pipeline: string): PipelineRecord {
    const kept = this.#of(pipeline)
    const { holder, status, untilMs } = kept
    return { pipeline, orders: ordersOf(kept), holder, leftMs: untilMs - this.#clock.now(), status }
  }

  #of(pipeline: string): Kept {
    let kept = this.#kept.get(pipeline)
    if (!kept) {
      kept = {
        counter: 0,
        token: '',
        holder: undefined,
        untilMs: 0,
        status: '',
        paused: false,
        resumed: 0,
        restarted: 0,
        snapshots: {},
      }
      this.#kept.set(pipeline, kept)
    }
    return kept
  }
}

function ordersOf({ paused, resumed, restarted, snapshots }: Kept): PipelineOrders {
  return { paused, resumed, restarted, snapshots: { ...snapshots } }
}
