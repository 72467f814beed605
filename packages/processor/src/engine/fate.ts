/** What has been decided about a delivery that is to be handled no more: it becomes a dead letter in its place. */
export interface Fate {
  readonly error: unknown
  /** Its attempts have run out. */
  readonly spent: boolean
}
