/** A span that has ended, before it is one of OpenTelemetry's. */
export interface SpanDraft {
  readonly name: string
  readonly kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal'
  /** Its own W3C trace context. */
  readonly traceparent: string
  readonly parent?: string | undefined
  readonly links?: readonly string[] | undefined
  /** In ms since the epoch. */
  readonly startMs: number
  readonly tookMs: number
  /** Why it failed; absent: it did not. */
  readonly error?: unknown
  /** Those that are undefined are left out. */
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>
}

/** What an attribute of a span can be. */
type AttributeValue = string | number | boolean | readonly string[]
