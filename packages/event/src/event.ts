/**
 * An event as it lies on the log: the attributes of CloudEvents 1.0 and Millrace's extensions.
 * Times are ISO 8601 in UTC. `specversion` is always "1.0" and is added where events leave over HTTP.
 */
export interface Event<Type extends string = string, Data = unknown> {
  /** Unique within `source`: UUIDv7 when fresh, UUIDv8 when derived. */
  readonly id: string
  readonly type: Type
  /** URI reference of the producer; with `id` the identity of the event. */
  readonly source: string
  /** The key: the entity whose events stay in order. */
  readonly subject: string
  /** When it happened, as the producer says. */
  readonly time: string
  readonly data: Data
  /** Version of the schema of `data`; 1 where absent. */
  readonly dataversion?: number
  /** One id for everything that one request from outside led to. */
  readonly correlationid: string
  /** Id of the event or request that led to this one. */
  readonly causationid?: string
  /** W3C trace context of the producer. */
  readonly traceparent?: string
  /** Who did it: an account, an operator, a service. Never a secret. */
  readonly actor?: string
  /** Id of the event that a repair corrects by this one, for the group that it was made for. Never on the log. */
  readonly correctionof?: string
}

/** What a producer states; the rest is filled in by {@link newEvent}. */
export interface EventDraft<Type extends string = string, Data = unknown> {
  readonly type: Type
  readonly key: string
  readonly data: Data
  readonly source?: string
  readonly id?: string
  readonly time?: string
  readonly version?: number
  readonly correlationId?: string
  readonly causationId?: string
  readonly traceparent?: string
  readonly actor?: string
}
