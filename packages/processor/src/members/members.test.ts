import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { describeMembersContract } from './contract/members-contract.ts'
import { createMemoryMemberList } from './memory-member-list.ts'

describeMembersContract('memory', async () => {
  const log = createMemoryLog()
  return {
    log,
    store: createMemoryGroupStore({ log }),
    list: createMemoryMemberList(),
    close: async () => undefined,
  }
})
