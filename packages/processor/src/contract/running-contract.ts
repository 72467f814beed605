import { afterAll, beforeAll, describe } from 'vitest'
import { describeConsuming } from './consuming.ts'
import { describeElsewhere } from './elsewhere.ts'
import { describeFailing } from './failing.ts'
import type { GroupStoreUnderTest } from './group-store-contract.ts'
import { describeLosing } from './losing.ts'

/**
 * What a running processor does with plain handlers on every log and group store: handling, stops, crashes. Call it in a
 * test file of the adapter.
 */
export function describeRunningContract(name: string, open: () => Promise<GroupStoreUnderTest>): void {
  describe(`running on ${name}`, () => {
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
    describeElsewhere(subject)
    describeLosing(subject)
  })
}
