/** Limits that hold for every event, whatever its topic says. Sizes in bytes of UTF-8 unless the name says otherwise. */
export const limits = {
  /** One event as JSON. A topic may set less. */
  eventBytes: 256 * 1024,
  /** Key, id, source, type and the other attributes, each. */
  attributeBytes: 512,
  /** Nesting of objects and arrays in JSON from outside. */
  jsonDepth: 32,
  /** Events of one append to one partition. */
  appendEvents: 1_000,
  /** Bytes of one append to one partition. */
  appendBytes: 4 * 1024 * 1024,
} as const
