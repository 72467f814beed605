import { afterAll, beforeAll, describe } from 'vitest'
import { describeBeginning } from './beginning.ts'
import { describeBounds } from './bounds.ts'
import { describeDeferring } from './deferring.ts'
import { describeRandomMembers } from './random-members.ts'
import { describeEffectAttempts } from './effect-attempts.ts'
import { describeFailing } from './failing.ts'
import { describeKeepingStates } from './keeping-states.ts'
import { describeLateLetters } from './late-letters.ts'
import { describeLosing } from './losing.ts'
import { describeLostEvents } from './lost-events.ts'
import { describeParkedCrashes } from './parked-crashes.ts'
import { describeParked } from './parked.ts'
import { describeRepairedEffects } from './repaired-effects.ts'
import { describeRepaired } from './repaired.ts'
import { describeDropping } from './dropping.ts'
import { describeTakingOver } from './taking-over.ts'
import { describeRetryLimits } from './retry-limits.ts'
import { describeHandling } from './handling.ts'
import type { EngineUnderTest } from './scene.ts'

/** What a running processor must do on every log and group store. Call it in a test file of the adapter. */
export function describeEngineContract(name: string, open: () => Promise<EngineUnderTest>): void {
  describe(`a running processor on ${name}`, () => {
    let opened: EngineUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    const subject = () => {
      if (!opened) throw new Error('The log and store under test are not open')
      return opened
    }
    describeHandling(subject)
    describeFailing(subject)
    describeLosing(subject)
    describeParked(subject)
    describeParkedCrashes(subject)
    describeRetryLimits(subject)
    describeRepaired(subject)
    describeLateLetters(subject)
    describeLostEvents(subject)
    describeRepairedEffects(subject)
    describeEffectAttempts(subject)
    describeDeferring(subject)
    describeBounds(subject)
    describeBeginning(subject)
    describeKeepingStates(subject)
    describeTakingOver(subject)
    describeDropping(subject)
    describeRandomMembers(subject)
  })
}
