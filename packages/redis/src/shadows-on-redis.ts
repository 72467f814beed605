import type { Page } from '@millrace/log'
import type {
  GroupPartition,
  MigratedKey,
  PageOptions,
  ShadowChange,
  ShadowRecord,
  ShadowStore,
  StateDrop,
  StateDropResult,
  WithheldEffect,
  WithheldRequest,
  WithheldResult,
} from '@millrace/processor'
import { RepairsOnRedis } from './repairs-on-redis.ts'
import {
  changeShadow,
  dropStates,
  keepMigration,
  settleWithheld,
  type ShadowContext,
  shadowOf,
  withheldPage,
} from './shadow.ts'

/** A group's side of running beside another system, on Redis. All of it belongs to the group, not to a generation. */
export abstract class ShadowsOnRedis extends RepairsOnRedis implements ShadowStore {
  shadow(at: GroupPartition): Promise<ShadowRecord> {
    return this.read(live(at), shadowOf)
  }

  setShadow(at: GroupPartition, change: ShadowChange): Promise<ShadowRecord> {
    return this.write(live(at), (place) => changeShadow(place, change, this.#context()))
  }

  withheldEffects(at: GroupPartition, options: PageOptions = {}): Promise<Page<WithheldEffect>> {
    return this.read(live(at), (place) => withheldPage(place, options))
  }

  settleWithheld(at: GroupPartition, request: WithheldRequest): Promise<readonly WithheldResult[]> {
    return this.write(live(at), (place) => settleWithheld(place, request, this.#context()))
  }

  keepMigration(at: GroupPartition, entry: MigratedKey): Promise<'kept' | 'known'> {
    return this.write(live(at), (place) => keepMigration(place, entry))
  }

  dropStates(at: GroupPartition, token: string, drop: StateDrop): Promise<StateDropResult> {
    return this.write(live(at), (place) => dropStates(place, token, drop, this.#context()))
  }

  #context(): ShadowContext {
    return { now: this.server.now(), entriesKept: this.repairsKept }
  }
}

function live(at: GroupPartition): GroupPartition {
  return { ...at, generation: 0 }
}
