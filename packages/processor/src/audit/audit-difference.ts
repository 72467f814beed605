/** Something that does not fit, and the command line that mends it. */
export interface AuditDifference {
  readonly topic: string
  readonly group: string
  readonly partition: number
  /** What, in words. */
  readonly what: string
  /** The key that it is about, where it is about one. */
  readonly key?: string
  readonly expected?: number
  readonly found?: number
  /** A command of `millrace`. */
  readonly repair: string
}
