/** A bug as tests plant it: places in sources, and what stands there instead. */
export interface Planted {
  /** What goes wrong by it. */
  readonly harm: string
  readonly edits: readonly {
    /** End of the path. */
    readonly file: string
    /** Stands there once. */
    readonly find: string
    readonly put: string
  }[]
}

const engine = 'packages/processor/src/engine'

/**
 * Bugs that a cluster must not survive. Each is put into a copy of the sources on their way from the disk, see
 * load-planted.ts: there is no switch in the product. Where the sources have changed, its place has to be found again.
 */
export const planted = {
  'no fence': {
    harm: 'a member that has lost its lease commits',
    edits: [
      {
        file: 'packages/processor/src/memory-commit.ts',
        find: "if (!group.isHeldBy(commit.token)) return { status: 'fenced' }",
        put: '',
      },
    ],
  },
  'unparked before the line is empty': {
    harm: 'what waits behind a head that was settled counts as settled with it',
    edits: [
      {
        file: `${engine}/parked-line.ts`,
        find: 'if (exhausted && (head === undefined || behind)) return',
        put: 'if (stored !== undefined && taken > 0) return',
      },
    ],
  },
  'repeated under another number': {
    harm: 'a commit whose answer was lost is made twice',
    edits: [
      {
        file: `${engine}/engine-lease.ts`,
        find: 'const result = await this.#store.commit(this.at, commit)',
        put: `const again = commit as { sent?: boolean; n: number }
          if (again.sent === true) again.n += 1
          again.sent = true
          const result = await this.#store.commit(this.at, commit)`,
      },
    ],
  },
  'position before commit': {
    harm: 'what was read counts as settled',
    edits: [
      {
        file: `${engine}/harvest.ts`,
        find: 'const { id, seq } = this.#window.position',
        put: 'const { id, seq } = this.#window.cursor',
      },
      { file: `${engine}/harvest.ts`, find: 'ahead: this.#window.ahead(),', put: 'ahead: [],' },
      { file: `${engine}/harvest.ts`, find: 'done: this.#done + skipped,', put: '' },
    ],
  },
  'what was done ahead forgotten': {
    harm: 'events that were done ahead of a slow neighbour are handled again by the next owner',
    edits: [
      {
        file: `${engine}/seq-window.ts`,
        find: 'const known = this.#before.delete(at.seq)',
        put: 'const known = this.#before.delete(at.seq) && false',
      },
    ],
  },
  'lane not blocked on retry': {
    harm: 'later events of a key overtake the one that failed',
    edits: [
      {
        file: `${engine}/key-lanes.ts`,
        find: "slot.waiting.putBack(lane.unsettled.filter(({ origin }) => origin !== 'deferred'))",
        put: `const [first, ...others] = lane.unsettled.filter(({ origin }) => origin !== 'deferred')
          slot.waiting.putBack(others)
          if (first !== undefined) slot.waiting.push(first)`,
      },
    ],
  },
  'outbox sent twice': {
    harm: 'what is appended again gets a new number',
    edits: [
      {
        file: 'packages/processor/src/forwarder-line.ts',
        find: 'const first = entries[0]?.first ?? 0',
        put: 'const first = (await this.#log.channel(topic, partition, channel)).last + 1',
      },
    ],
  },
  'channel check off': {
    harm: 'the target takes a batch again that it has',
    edits: [
      {
        file: 'packages/log/src/memory-partition.ts',
        find: 'const last = batch.incarnation > state.incarnation ? 0 : state.last',
        put: 'const last = batch.first - 1',
      },
    ],
  },
  'lease released before the drain': {
    harm: 'another member begins while handlers of this one run',
    edits: [
      {
        file: 'packages/processor/src/drain.ts',
        find: 'run.quiet()',
        put: 'run.quiet(); run.release().catch(() => undefined)',
      },
    ],
  },
  'state cache used after a lost token': {
    harm: 'a member that had the partition before goes on from the states that it knew then',
    edits: [
      {
        file: `${engine}/state-loader.ts`,
        find: 'const stored = await store.loadStates(this.#at, keys)',
        put: `const fresh = await store.loadStates(this.#at, keys)
          const kept = (this.#settings as { kept?: Map<string, object> }).kept
          const stored = fresh.map((one) => ({ ...one, state: kept?.get(one.key) ?? one.state })) as typeof fresh`,
      },
      {
        file: `${engine}/partition-engine.ts`,
        find: 'this.#proven = true',
        put: `this.#proven = true
          const kept = ((this.#settings as { kept?: Map<string, object> }).kept ??= new Map())
          for (const one of content.states ?? []) kept.set(one.key, one)`,
      },
    ],
  },
  'effects before the commit': {
    harm: 'an effect is carried out that no commit has recorded',
    edits: [
      {
        file: `${engine}/partition-engine.ts`,
        find: 'if (gathered) tellDecided(',
        put: 'if (gathered) this.effects.add(gathered.harvest.effects); if (gathered) tellDecided(',
      },
    ],
  },
  'emitted at once out of turn': {
    harm: 'an event is on its target before an earlier one that waits in the outbox',
    edits: [
      {
        file: 'packages/processor/src/memory-commit.ts',
        find: 'if (last === undefined || last !== (firsts[place] as number) - 1) out.add(channel)',
        put: 'if (last === undefined) out.add(channel)',
      },
    ],
  },
  'ruling followed and not named': {
    harm: 'what an operator has ruled is done, and the commit says that nobody has ruled',
    edits: [
      {
        file: `${engine}/ruling-notes.ts`,
        find: 'this.#heeded.push({ seq, id: ruling?.id, ...(ruling?.id ? { ruling } : {}) })',
        put: 'this.#heeded.push({ seq, id: undefined })',
      },
    ],
  },
  'late run without its ruling': {
    harm: 'a dead letter that was corrected is handled as it lies on the log',
    edits: [
      {
        file: `${engine}/late-runner.ts`,
        find: 'const delivery = ruledArrival(processor, recorded, ruling, this.#lanes.fates)',
        put: 'const delivery = ruledArrival(processor, recorded, undefined, this.#lanes.fates)',
      },
    ],
  },
} as const satisfies Readonly<Record<string, Planted>>

export type PlantedBug = keyof typeof planted
