/** Wakes the owners of partitions in this process when a parked key was marked as due. */
export class DueBell {
  readonly #listeners = new Map<number, Set<() => void>>()

  /** Hears of marks in a partition; the answer ends that. */
  hear(partition: number, listener: () => void): () => void {
    let all = this.#listeners.get(partition)
    if (!all) this.#listeners.set(partition, (all = new Set()))
    all.add(listener)
    return () => all.delete(listener)
  }

  ring(partition: number): void {
    for (const listener of this.#listeners.get(partition) ?? []) listener()
  }
}
