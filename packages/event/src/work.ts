import { channel } from 'node:diagnostics_channel'

/** What every piece of work says of itself. */
interface Ended {
  /** Its own W3C trace context. */
  readonly traceparent: string
  /** The trace context that it is below; absent: it begins a trace. */
  readonly parent?: string | undefined
  /** Trace contexts that led to it by another way than calling it. */
  readonly links?: readonly string[]
  readonly correlationId?: string | undefined
  /** In ms since the epoch. */
  readonly startMs: number
  readonly tookMs: number
  /** Why it failed; absent: it did not. */
  readonly error?: unknown
}

/** Where in a group an event is handled. */
interface InGroup {
  readonly topic: string
  readonly group: string
  readonly partition: number
}

/** A request that was answered. */
export interface RequestWork extends Ended {
  readonly kind: 'request'
  readonly method: string
  /** The template, never the path: paths carry ids and tokens. */
  readonly route: string
  readonly status: number
  /** An answer that goes on: how many items it had. */
  readonly items?: number
}

/** A request to another service. */
export interface CallWork extends Ended {
  readonly kind: 'call'
  readonly method: string
  /** Name of the service, or host of the address. */
  readonly peer: string
  readonly status?: number
}

/** A stream of events to a client: JSON lines or server-sent events. */
export interface FeedWork extends Ended {
  readonly kind: 'feed'
  readonly topic: string
  readonly events: number
}

/** One attempt to handle an event. */
export interface DeliveryWork extends Ended, InGroup {
  readonly kind: 'delivery'
  readonly eventId: string
  readonly type: string
  readonly seq: number
  readonly attempt: number
  /** An operator had put it back. */
  readonly late: boolean
}

/** One attempt to carry an effect out. */
export interface EffectWork extends Ended, InGroup {
  readonly kind: 'effect'
  readonly name: string
  readonly eventId: string
  readonly attempt: number
}

/** A retry was planned as a job, or its job was run. */
export interface JobWork extends Ended, InGroup {
  readonly kind: 'job'
  readonly did: 'planned' | 'run'
  readonly queue: string
  readonly eventId: string
  readonly type: string
  /** Attempts that the event had cost. */
  readonly attempt: number
}

/** A mail was handed to its provider. */
export interface MailWork extends Ended {
  readonly kind: 'mail'
  readonly messageId: string
}

/** An operator's ruling on an event that could not be processed. */
export interface RepairWork extends Ended, InGroup {
  readonly kind: 'repair'
  readonly did: string
  readonly seq: number
}

/** A piece of work that has ended, for whoever traces. */
export type Work =
  | RequestWork
  | CallWork
  | FeedWork
  | DeliveryWork
  | EffectWork
  | JobWork
  | MailWork
  | RepairWork

/** Name of the diagnostics channel that all {@link Work} is published on: what is sampled, and what has failed. */
export const workChannel = 'millrace.work'

const diagnostics = channel(workChannel)

/** Whether anybody traces: what only traces want is not made otherwise. */
export function workTraced(): boolean {
  return diagnostics.hasSubscribers
}

/** Tells whoever traces. */
export function tellWork(work: Work): void {
  if (diagnostics.hasSubscribers) diagnostics.publish(work)
}

/** The time that work is told with, in ms since the epoch with their fractions: the machine's, for people to look at. */
export function workNowMs(): number {
  return performance.timeOrigin + performance.now()
}
