import { afterAll, beforeAll, describe } from 'vitest'
import type { EngineUnderTest } from '../../engine/contract/scene.ts'
import type { GenerationStore } from '../generations.ts'
import { describeReplayedDecisions } from './deciding.ts'
import { describeReplayKills } from './killing.ts'
import { describeLateTimers } from './late-timers.ts'
import { describeReplayRaces } from './racing.ts'
import { describeRandomReplays } from './random-replays.ts'
import { describeReplaying } from './replaying.ts'
import { describeSameAgain } from './same-again.ts'
import { describeTakenOver } from './taken-over.ts'

/** Log and store to replay on. */
export interface ReplayUnderTest extends EngineUnderTest {
  readonly store: GenerationStore
}

/** What a replay must do on every log and store with generations. Call it in a test file of the adapter. */
export function describeReplayContract(name: string, open: () => Promise<ReplayUnderTest>): void {
  describe(`a replay on ${name}`, () => {
    let opened: ReplayUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    const subject = () => {
      if (!opened) throw new Error('The log and store under test are not open')
      return opened
    }
    describeReplaying(subject)
    describeReplayedDecisions(subject)
    describeReplayKills(subject)
    describeReplayRaces(subject)
    describeLateTimers(subject)
    describeRandomReplays(subject)
    describeSameAgain(subject)
    describeTakenOver(subject)
  })
}
