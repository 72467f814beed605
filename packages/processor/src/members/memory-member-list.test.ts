import { describeMemberListContract } from './contract/member-list-contract.ts'
import { createMemoryMemberList } from './memory-member-list.ts'

describeMemberListContract('memory', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  return {
    list: createMemoryMemberList({ clock: { now: () => now } }),
    advance: (ms) => {
      now += ms
    },
    close: async () => undefined,
  }
})
