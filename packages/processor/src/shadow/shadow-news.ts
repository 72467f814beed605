import { channel } from 'node:diagnostics_channel'

/** How many keys differ in a field, as the last comparison of all keys has found. */
export interface ShadowNews {
  readonly topic: string
  readonly group: string
  /** By name of the field; fields without a difference have 0. */
  readonly fields: ReadonlyMap<string, number>
}

/** Name of the diagnostics channel that all {@link ShadowNews} are published on. */
export const shadowChannel = 'millrace.shadow'

const diagnostics = channel(shadowChannel)

/** Tells whoever has subscribed to the channel. */
export function tellShadow(news: ShadowNews): void {
  if (diagnostics.hasSubscribers) diagnostics.publish(news)
}
