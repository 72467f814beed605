import type { Topic } from '@millrace/event'

/** Names of one partition's keys, all with one hash tag: one slot in Redis Cluster. */
export interface PartitionKeys {
  readonly log: string
  readonly meta: string
  readonly ids: string
  readonly idsOld: string
  readonly idsKept: string
  readonly channels: string
}

/** Names of one group's keys in one partition, in the slot of the partition. */
export interface GroupKeys {
  /** Lease, position, counters and channel numbers. */
  readonly group: string
  readonly dead: string
  readonly states: string
  /** What was taken over from another system. Of the live generation: the group's. */
  readonly migrations: string
  /** Effects that were recorded and are not carried out. */
  readonly withheld: string
  readonly withheldOrder: string
  /** Whose effects are carried out. Of the live generation: the group's. */
  readonly shadow: string
  readonly parked: string
  readonly parkedHeads: string
  readonly parkedDue: string
  readonly rulings: string
  readonly requeued: string
  readonly repairs: string
  readonly deadIndex: string
  readonly deferred: string
  readonly deferredHeads: string
  readonly timers: string
  readonly journal: string
  readonly outbox: string
  readonly effects: string
  readonly effectsPending: string
  readonly effectsParked: string
  readonly effectsDead: string
  readonly effectsSettled: string
  readonly effectsIndex: string
  readonly effectsPassed: string
  readonly effectsRequeued: string
}

/** Names of the index by which stories are found. */
export interface StoryIndexKeys {
  readonly cursors: string
  readonly places: string
  readonly placesOld: string
  readonly requests: string
  readonly requestsOld: string
}

/** Names of what is remembered of events by a group in one partition, in the slot of the partition. */
export interface StoryKeys {
  /** By the seq of the event. */
  readonly facts: string
  /** When each had its last fact. */
  readonly times: string
  /** When commits were made, by the seq of their position. */
  readonly marks: string
}

/** Names of a topic's claims. Only topics placed `together` have them: then all partitions share their slot. */
export interface ClaimKeys {
  readonly claims: string
  readonly owners: string
  readonly claimsMeta: string
  /** A rebuild under way, beside the live claims. */
  readonly rebuild: string
  readonly claimsNext: string
  readonly ownersNext: string
  readonly contested: string
}

interface AppendNames {
  /** The names that every append script call has. */
  readonly names: readonly string[]
  /** What the names of key indexes begin with. */
  readonly index: string
}

/** Makes every name of every Redis key that Millrace uses. `prefix` separates systems on one server. */
export class Keys {
  readonly #prefix: string
  readonly #known = new WeakMap<Topic, AppendNames[]>()

  constructor(prefix = 'mr') {
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(prefix))
      throw new TypeError('A key prefix is lower case letters, digits and dashes')
    this.#prefix = prefix
  }

  /** Hash: in what form each topic was made. */
  get topics(): string {
    return `${this.#prefix}:topics`
  }

  /** Set: the names of all pipelines. */
  get pipelines(): string {
    return `${this.#prefix}:pipelines`
  }

  /** Hash: lease, orders and status of one pipeline. */
  pipeline(name: string): string {
    return `${this.#prefix}:{pipeline.${name}}:pipeline`
  }

  partition(topic: Topic, partition: number): PartitionKeys {
    const base = `${this.#prefix}:${tagOf(topic, partition)}:${partition}`
    return {
      log: `${base}:log`,
      meta: `${base}:meta`,
      ids: `${base}:ids`,
      idsOld: `${base}:ids-old`,
      idsKept: `${base}:ids-kept`,
      channels: `${base}:channels`,
    }
  }

  /** All names of one call of the append script, in the order that it states. */
  append(topic: Topic, partition: number, keys: readonly string[]): readonly string[] {
    const { names, index } = this.#appendNames(topic, partition)
    const all = [...names]
    for (const key of keys) all.push(index + key)
    return all
  }

  // Every append asks for them.
  #appendNames(topic: Topic, partition: number): AppendNames {
    let known = this.#known.get(topic)
    if (!known) this.#known.set(topic, (known = []))
    return (known[partition] ??= this.#makeAppendNames(topic, partition))
  }

  #makeAppendNames(topic: Topic, partition: number): AppendNames {
    const { log, meta, ids, idsOld, idsKept, channels } = this.partition(topic, partition)
    const { claims, owners, claimsMeta } = this.claims(topic, partition)
    return {
      names: [log, meta, ids, idsOld, idsKept, channels, claims, owners, claimsMeta],
      index: this.keyIndex(topic, partition, ''),
    }
  }

  /** The list of stream ids of one key's events. */
  keyIndex(topic: Topic, partition: number, key: string): string {
    return `${this.#prefix}:${tagOf(topic, partition)}:${partition}:key:${key}`
  }

  /** Claims lie in the slot of the given partition; for a topic placed `together` that is one for all. */
  claims(topic: Topic, partition = 0): ClaimKeys {
    const base = `${this.#prefix}:${tagOf(topic, partition)}`
    return {
      claims: `${base}:claims`,
      owners: `${base}:owners`,
      claimsMeta: `${base}:claims-meta`,
      rebuild: `${base}:claims-rebuild`,
      claimsNext: `${base}:claims-next`,
      ownersNext: `${base}:owners-next`,
      contested: `${base}:claims-contested`,
    }
  }

  /** A group's keys in one partition; those of a later generation lie beside those of the first. */
  group(topic: Topic, partition: number, group: string, generation = 0): GroupKeys {
    const base = `${this.#prefix}:${tagOf(topic, partition)}:${partition}`
    const name = generation === 0 ? group : `${group}:${generation}`
    return {
      group: `${base}:group:${name}`,
      dead: `${base}:dead:${name}`,
      states: `${base}:state:${name}`,
      migrations: `${base}:migrations:${name}`,
      withheld: `${base}:withheld:${name}`,
      withheldOrder: `${base}:withheld-order:${name}`,
      shadow: `${base}:shadow:${name}`,
      parked: `${base}:parked:${name}`,
      parkedHeads: `${base}:parked-heads:${name}`,
      parkedDue: `${base}:parked-due:${name}`,
      rulings: `${base}:rulings:${name}`,
      requeued: `${base}:requeued:${name}`,
      repairs: `${base}:repairs:${name}`,
      deadIndex: `${base}:dead-index:${name}`,
      deferred: `${base}:deferred:${name}`,
      deferredHeads: `${base}:deferred-heads:${name}`,
      timers: `${base}:timers:${name}`,
      journal: `${base}:journal:${name}`,
      outbox: `${base}:outbox:${name}`,
      effects: `${base}:effects:${name}`,
      effectsPending: `${base}:effects-pending:${name}`,
      effectsParked: `${base}:effects-parked:${name}`,
      effectsDead: `${base}:effects-dead:${name}`,
      effectsSettled: `${base}:effects-settled:${name}`,
      effectsIndex: `${base}:effects-index:${name}`,
      effectsPassed: `${base}:effects-passed:${name}`,
      effectsRequeued: `${base}:effects-requeued:${name}`,
    }
  }

  /** By what events are found, of all topics: in a slot of its own. */
  get storyIndex(): StoryIndexKeys {
    const base = `${this.#prefix}:{story}`
    return {
      cursors: `${base}:cursors`,
      places: `${base}:places`,
      placesOld: `${base}:places-old`,
      requests: `${base}:requests`,
      requestsOld: `${base}:requests-old`,
    }
  }

  /** What the live generation of a group remembers of events. */
  story(topic: Topic, partition: number, group: string): StoryKeys {
    const base = `${this.#prefix}:${tagOf(topic, partition)}:${partition}`
    return {
      facts: `${base}:story:${group}`,
      times: `${base}:story-times:${group}`,
      marks: `${base}:story-marks:${group}`,
    }
  }

  /** The members of a group and its assignment, in the slot of the topic's first partition. */
  members(topic: Topic, group: string): { readonly members: string; readonly assignment: string } {
    const base = `${this.#prefix}:${tagOf(topic, 0)}`
    return { members: `${base}:members:${group}`, assignment: `${base}:assignment:${group}` }
  }
}

// The tag is what Cluster hashes: the topic alone, or the topic and the slot of a spread one.
function tagOf(topic: Topic, partition: number): string {
  return topic.placement === 'together' ? `{${topic.name}}` : `{${topic.name}.${partition % topic.slots}}`
}
