import { afterAll, beforeAll, describe } from 'vitest'
import { describeBatching } from './batching.ts'
import { describeConsuming } from './consuming.ts'
import { describeFailing } from './failing.ts'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { describeLosing } from './losing.ts'

/** What the loop must do on every log and group store. Call it in a test file of the adapter. */
export function describeConsumeContract(name: string, open: () => Promise<GroupStoreUnderTest>): void {
  describe(`consuming on ${name}`, () => {
    let opened: GroupStoreUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    const subject = () => {
      if (!opened) throw new Error('The log and store under test are not open')
      return opened
    }
    describeConsuming(subject)
    describeFailing(subject)
    describeBatching(subject)
    describeLosing(subject)
  })
}
