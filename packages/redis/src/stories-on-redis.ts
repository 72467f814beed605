import { assertGroupName, type GroupPartition, type Stories } from '@millrace/processor'
import { readFailure } from './failure.ts'
import { type GroupPlace, type GroupServer, placeOf } from './group-place.ts'
import { effectsNamed, factsOfEvents, spansOfEvents } from './story-reads.ts'

/** The part of a group store on Redis that tells what became of events. */
export class StoriesOnRedis implements Stories {
  readonly #server: GroupServer

  constructor(server: GroupServer) {
    this.#server = server
  }

  facts(at: GroupPartition, seqs: readonly number[]) {
    return this.#ask(at, (place) => factsOfEvents(place, seqs))
  }

  settledSpans(at: GroupPartition, seqs: readonly number[]) {
    return this.#ask(at, (place) => spansOfEvents(place, seqs))
  }

  openEffects(at: GroupPartition, idempotencyKeys: readonly string[]) {
    return this.#ask(at, (place) => effectsNamed(place, idempotencyKeys))
  }

  async #ask<T>(at: GroupPartition, act: (place: GroupPlace) => Promise<T>): Promise<T> {
    assertGroupName(at.group)
    try {
      return await act(placeOf(this.#server, at))
    } catch (error) {
      if (error instanceof TypeError) throw error
      throw readFailure(error)
    }
  }
}
