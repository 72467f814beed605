/** Where a queue lies in Redis. */
export interface QueuePlace {
  /** As people read it on the dashboard. */
  readonly name: string
  /** With a hash tag: all keys of a queue in one slot, as its scripts need it in Redis Cluster. */
  readonly prefix: string
}

/** What the keys of all queues begin with, unless somebody says otherwise. */
export const defaultPrefix = 'millrace-queues'

/** The queue of a group's parked keys. */
export function retryQueue(topic: string, group: string, prefix = defaultPrefix): QueuePlace {
  return placeOf(`retry.${topic}.${group}`, prefix)
}

/** The queue of an effect. */
export function effectQueue(group: string, effect: string, prefix = defaultPrefix): QueuePlace {
  return placeOf(`effect.${group}.${effect}`, prefix)
}

// One slot for each queue, so that they spread over a cluster.
function placeOf(name: string, prefix: string): QueuePlace {
  return { name, prefix: `{${prefix}.${name}}` }
}
