/**
 * What the processes of services run Node with. V8 learns from what survives which object literals to allocate as old
 * from the start, and what an event leaves for a moment then stays until a full collection: a third of the time of a
 * processor that emits went into that. Nothing in hand lives that long.
 */
export const serviceFlags: readonly string[] = ['--no-allocation-site-pretenuring']
