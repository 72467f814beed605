import { backoffMs } from '@millrace/retry'

/** Pauses before a partition that ended by a fault is tried again. */
const retry = { firstMs: 500, maxMs: 30_000 }

interface Fault {
  readonly count: number
  readonly retryAtMs: number
  readonly message: string
}

/** What pauses are measured and spread by. */
export interface PartitionFaultTimes {
  readonly elapsedMs: () => number
  /** From 0 up to 1. */
  readonly random: () => number
}

/** What has gone wrong with a member's partitions, and until when it keeps off them for that. */
export class PartitionFaults {
  readonly #times: PartitionFaultTimes
  readonly #faults = new Map<number, Fault>()
  readonly #declinedUntilMs = new Map<number, number>()

  constructor(times: PartitionFaultTimes) {
    this.#times = times
  }

  /** The work on a partition has ended by an error that a repeat does not mend. */
  add(partition: number, error: unknown): void {
    const count = (this.#faults.get(partition)?.count ?? 0) + 1
    const message = error instanceof Error ? error.message : String(error)
    const { elapsedMs, random } = this.#times
    this.#faults.set(partition, {
      count,
      message,
      retryAtMs: elapsedMs() + backoffMs(retry, count, random()),
    })
  }

  /** It works. */
  clear(partition: number): void {
    this.#faults.delete(partition)
  }

  message(partition: number): string | undefined {
    return this.#faults.get(partition)?.message
  }

  /** Whether the pause after the last fault is over. */
  mayTry(partition: number): boolean {
    return this.#times.elapsedMs() >= (this.#faults.get(partition)?.retryAtMs ?? 0)
  }

  /** It hangs here: for so long another member should have it, if there is one. */
  decline(partition: number, forMs: number): void {
    this.#declinedUntilMs.set(partition, this.#times.elapsedMs() + forMs)
  }

  /** The partitions that another member should have: they hang here, or end by faults again and again. */
  declined(): readonly number[] {
    const nowMs = this.#times.elapsedMs()
    const hanging = [...this.#declinedUntilMs].filter(([, untilMs]) => untilMs > nowMs)
    const failing = [...this.#faults].filter(([, { count, retryAtMs }]) => count > 1 && retryAtMs > nowMs)
    const numbers = new Set([...hanging, ...failing].map(([partition]) => partition))
    return [...numbers].toSorted((a, b) => a - b)
  }
}
