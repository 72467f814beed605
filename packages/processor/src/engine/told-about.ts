import { enterScope, leaveScope, type Scope } from '@millrace/event'

/** Ids as records have them. */
interface IdsOfEvent {
  readonly eventId: string
  readonly correlationId?: string
  readonly traceparent?: string
}

/** Tells of an event in its scope: the line that an observer logs has its ids. What is begun meanwhile has not. */
export function toldAbout(about: Scope, tell: () => void): void {
  const before = enterScope(about)
  try {
    tell()
  } finally {
    leaveScope(before)
  }
}

/** The scope of an event that only a record speaks of. */
export function scopeOfRecord({ eventId, correlationId = '', traceparent }: IdsOfEvent): Scope {
  return { correlationId, causationId: eventId, traceparent }
}
