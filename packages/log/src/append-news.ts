import { channel } from 'node:diagnostics_channel'
import type { Event, MillraceError } from '@millrace/event'
import type { AppendResult, AppendUnit, ChannelResult } from './append.ts'

/** What one call to the log has brought about in a partition. Told by adapters of the log, not by the one in memory. */
export type AppendNews = {
  readonly topic: string
  readonly partition: number
  /** From sending it to its answer, in ms. */
  readonly tookMs: number
} & (
  | {
      readonly kind: 'units'
      readonly units: readonly { readonly unit: AppendUnit }[]
      /** One for each unit, or why it is not known to be written. */
      readonly results: readonly AppendResult[] | MillraceError
    }
  | {
      readonly kind: 'channel'
      readonly events: readonly Event[]
      readonly result: ChannelResult | MillraceError
    }
)

/** Name of the diagnostics channel that all {@link AppendNews} are published on. */
export const appendNewsChannel = 'millrace.append'

const diagnostics = channel(appendNewsChannel)

/** Whether anybody listens on the channel: what only meters want is not made otherwise. */
export function appendHeard(): boolean {
  return diagnostics.hasSubscribers
}

/** Tells whoever has subscribed to the channel. */
export function tellAppend(news: AppendNews): void {
  if (diagnostics.hasSubscribers) diagnostics.publish(news)
}
