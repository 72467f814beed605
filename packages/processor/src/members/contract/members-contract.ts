import { afterAll, beforeAll, describe } from 'vitest'
import { describeLosingMembers } from './losing-members.ts'
import { describeSharing } from './sharing.ts'
import type { MembersUnderTest } from './troupe.ts'

/** What several members do together, on every log, group store and list. Call it in a test file of the adapter. */
export function describeMembersContract(name: string, open: () => Promise<MembersUnderTest>): void {
  describe(`members on ${name}`, () => {
    let opened: MembersUnderTest | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => opened?.close())
    const subject = () => {
      if (!opened) throw new Error('The log, store and list under test are not open')
      return opened
    }
    describeSharing(subject)
    describeLosingMembers(subject)
  })
}
