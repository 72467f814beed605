import type { Topic } from '@millrace/event'

/** Reads claims: who owns a value. Writing them is the append's business alone. */
export interface ClaimRegister {
  /** The key that owns a value, by any of its digests (keyring version → digest). */
  ownerOf(
    topic: Topic,
    constraint: string,
    digests: Readonly<Record<string, string>>,
  ): Promise<string | undefined>

  /** The keyring versions that every claim of the topic must be given under; empty before the first claim. */
  liveVersions(topic: Topic): Promise<readonly string[]>
}
