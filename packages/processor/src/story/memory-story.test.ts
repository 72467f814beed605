import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { describeStoriesContract } from './contract/stories-contract.ts'
import { describeStoryIndexContract } from './contract/story-index-contract.ts'
import { createMemoryStoryIndex } from './memory-story-index.ts'

describeStoriesContract('memory', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock = { now: () => now }
  const log = createMemoryLog({ clock })
  const store = createMemoryGroupStore({ log, clock, atOnce: log })
  return {
    log,
    store,
    stories: store,
    advance: (ms) => {
      now += ms
    },
    close: async () => undefined,
  }
})

describeStoryIndexContract('memory', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  return {
    index: createMemoryStoryIndex({ now: () => now }),
    advance: (ms) => {
      now += ms
    },
    close: async () => undefined,
  }
})
