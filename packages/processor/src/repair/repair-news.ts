import { channel } from 'node:diagnostics_channel'
import type { RuledOn } from '../repairs.ts'
import type { Ruling } from '../ruling.ts'

/** An event or an effect has been ruled on: told once for each ruling that changed something. */
export interface RepairNews {
  readonly topic: string
  readonly group: string
  readonly partition: number
  /** Of an effect: the event that led to it. */
  readonly seq: number
  readonly kind: Ruling['kind']
  readonly on: RuledOn | 'effect'
  readonly by: string
  /** It runs although later events or effects of its key are settled. */
  readonly forced: boolean
}

/** Name of the diagnostics channel that all {@link RepairNews} are published on. */
export const repairChannel = 'millrace.repair'

const diagnostics = channel(repairChannel)

/** Tells whoever has subscribed to the channel. */
export function tellRepair(news: RepairNews): void {
  if (diagnostics.hasSubscribers) diagnostics.publish(news)
}
