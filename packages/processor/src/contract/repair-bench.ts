import { type Schema, type Topic, topic } from '@millrace/event'
import { happened } from '@millrace/log/contract'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import type { RepairAction, RepairOutcome } from '../repair/repair-action.ts'
import { Repairer } from '../repair/repairer.ts'
import type { SourceOfTruth } from '../repair/source-of-truth.ts'
import { type GroupStoreUnderTest, LeasedGroup } from './group-fixture.ts'
import { held, letter } from './parts.ts'

// A schema by hand: a number, and nothing else.
const numbered: Schema = {
  '~standard': {
    version: 1,
    vendor: 'millrace-contract',
    validate: (value) =>
      typeof value === 'object' && value !== null && 'n' in value && typeof value.n === 'number'
        ? { value: { n: value.n } }
        : { issues: [{ message: 'n must be a number', path: ['n'] }] },
  },
}

/** Who orders the repairs of the suite. */
export const order = { by: 'ada', reason: 'a poor import', id: 'order-1' } as const

/** A group whose events were appended before their type had its present schema, and a repairer for it. */
export class RepairBench {
  readonly group: LeasedGroup
  readonly strict: Topic
  readonly at: GroupPartition
  readonly repairer: Repairer

  constructor(
    subject: GroupStoreUnderTest,
    group: LeasedGroup,
    parts: { readonly source?: SourceOfTruth | undefined; readonly store?: GroupStore } = {},
  ) {
    const { name, placement } = group.topic
    this.group = group
    this.strict = topic(name, { types: { Happened: numbered }, partitions: 1, placement })
    this.at = { ...group.at, topic: this.strict }
    const { source, store = group.store } = parts
    this.repairer = new Repairer({
      store,
      log: subject.log,
      sources: source ? { [name]: { Happened: source } } : {},
    })
  }

  static async open(
    subject: GroupStoreUnderTest,
    events: readonly (readonly [key: string, data: unknown])[],
    source?: SourceOfTruth,
  ): Promise<RepairBench> {
    const group = await LeasedGroup.open(subject)
    for (const [key, data] of events) {
      const [result] = await subject.log.append(group.topic, [{ events: [happened(group.topic, key, data)] }])
      if (result?.status === 'appended') group.positions.push(...result.positions)
    }
    return new RepairBench(subject, group, { source })
  }

  /** So many dead letters, each of a key of its own; every third is of another class. */
  static async withLetters(subject: GroupStoreUnderTest, count: number): Promise<RepairBench> {
    const events = Array.from({ length: count }, (_, at) => [`k${at + 1}`, { n: at }] as const)
    const bench = await RepairBench.open(subject, events)
    const dead = bench.group.positions.map(({ seq, id }) => ({
      ...letter(seq, id, `k${seq}`),
      fingerprint: seq % 3 === 0 ? 'f1' : 'f2',
    }))
    await bench.group.commit(count, { dead })
    return bench
  }

  /** Parks the key `a` with these events; all others are done. */
  async hold(seqs: readonly number[]): Promise<void> {
    const [head = 1] = seqs
    const { id = '' } = this.group.positions[head - 1] ?? {}
    const park = held('a', head, seqs.at(-1), seqs.length - 1)
    const parks = [{ ...park, note: { ...park.note, id } }]
    await this.group.commit(this.group.positions.length, { parks })
  }

  /** Repairs the key `a`. */
  key(action: RepairAction): Promise<readonly RepairOutcome[]> {
    return all(this.repairer.key(this.at, 'a', action, order))
  }

  async rulings() {
    const seqs = this.group.positions.map(({ seq }) => seq)
    const found = await this.group.store.rulings(this.at, seqs)
    return [...found].map(([seq, { kind, data }]) => ({ seq, kind, data }))
  }

  /** Everything that a repair may have changed. */
  async stored() {
    const { store } = this.group
    const { differences, counters } = await store.audit(this.at)
    const entries = (await store.repairEntries(this.at)).items
    return {
      rulings: await this.rulings(),
      entries: entries.map(({ id, seq, kind, on }) => ({ id, seq, kind, on })),
      due: (await store.dueKeys(this.at, Number.MAX_SAFE_INTEGER)).map(({ key }) => key),
      items: (await store.deadItems(this.at)).items.map(({ seq }) => seq),
      late: (await store.requeued(this.at)).items.map(({ seq }) => seq),
      counters,
      differences,
    }
  }
}

/** Everything that comes. */
export async function all<T>(steps: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = []
  for await (const step of steps) found.push(step)
  return found
}
