import { weightOf } from './weight.ts'

/** A member that can be given partitions. */
export interface Candidate {
  readonly member: string
  readonly declines: readonly number[]
}

/**
 * The next assignment: who is to own which partition, made out of the one before. With the same arguments every member
 * comes to the same answer.
 *
 * - Every partition has exactly one owner, a candidate (none when there are no candidates).
 * - No candidate has more than ⌈partitions / candidates⌉ or less than ⌊partitions / candidates⌋.
 * - A candidate that comes only gets partitions, one that goes only loses its own; nothing moves between others.
 * - What a candidate declines goes to another one, and nothing else moves for it: until it declines nothing any more it
 *   is given no other ones to make up for that, so that meanwhile the bounds are off by what is declined.
 *   What all decline stays where it is.
 *
 * Which partition goes to which of several equally loaded candidates is decided by highest random weight.
 * Plain rendezvous hashing (Thaler and Ravishankar, 1998) moves as little, but has no such bounds, and no function of the
 * candidates alone can have both: docs/adr/0006-the-assignment-is-kept.md.
 */
export function assign(
  candidates: readonly Candidate[],
  partitions: number,
  before: readonly string[] = [],
): readonly string[] {
  if (candidates.length === 0) return []
  const shares = new Shares(candidates, partitions)
  const homeless: number[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const owner = before[partition]
    if (owner !== undefined && shares.takes(owner, partition)) shares.give(partition, owner)
    else homeless.push(partition)
  }
  for (const partition of homeless) shares.give(partition, shares.lightest(partition))
  shares.level()
  return shares.owners()
}

/** Who has what, while an assignment is made. */
class Shares {
  readonly #declined: ReadonlyMap<string, ReadonlySet<number>>
  readonly #owners: string[]
  readonly #loads: Map<string, number>

  constructor(candidates: readonly Candidate[], partitions: number) {
    const inOrder = candidates.toSorted((a, b) => (a.member < b.member ? -1 : 1))
    this.#owners = Array.from({ length: partitions }, () => '')
    const unwanted = (partition: number) => inOrder.every(({ declines }) => declines.includes(partition))
    this.#declined = new Map(
      inOrder.map(({ member, declines }) => [
        member,
        new Set(declines.filter((partition) => partition < partitions && !unwanted(partition))),
      ]),
    )
    this.#loads = new Map(inOrder.map(({ member }) => [member, 0]))
  }

  takes(member: string, partition: number): boolean {
    return this.#declined.get(member)?.has(partition) === false
  }

  give(partition: number, member: string): void {
    const owner = this.#owners[partition]
    if (owner) this.#loads.set(owner, this.#load(owner) - 1)
    this.#owners[partition] = member
    this.#loads.set(member, this.#load(member) + 1)
  }

  /** The candidate with the smallest load that takes a partition; of several the one with the highest weight. */
  lightest(partition: number): string {
    const able = [...this.#loads.keys()].filter((member) => this.takes(member, partition))
    const least = Math.min(...able.map((member) => this.#load(member)))
    return heaviest(
      able.filter((member) => this.#load(member) === least),
      (member) => weightOf(member, partition),
    )
  }

  /** Moves partitions from the most to the least loaded that declines nothing, until their loads differ by one at most. */
  level(): void {
    for (let move = this.#nextMove(); move; move = this.#nextMove()) this.give(...move)
  }

  owners(): readonly string[] {
    return this.#owners
  }

  #nextMove(): [partition: number, to: string] | undefined {
    const byLoad = [...this.#loads.keys()].toSorted((a, b) => this.#load(a) - this.#load(b))
    for (const from of byLoad.toReversed())
      for (const to of byLoad) {
        if (this.#load(from) - this.#load(to) < 2) break
        if (this.#declined.get(to)?.size) continue
        const movable = [...this.#owners.keys()].filter((partition) => this.#owners[partition] === from)
        return [heaviest(movable, (partition) => weightOf(to, partition)), to]
      }
    return undefined
  }

  #load(member: string): number {
    return this.#loads.get(member) ?? 0
  }
}

function heaviest<T>(all: readonly T[], weight: (one: T) => number): T {
  return all.reduce((best, one) => (weight(one) > weight(best) ? one : best))
}
