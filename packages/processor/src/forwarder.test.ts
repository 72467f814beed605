import { MillraceError } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { testTopic } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import { describeForwarderContract } from './contract/forwarder-contract.ts'
import { createMemoryGroupStore } from './memory-group-store.ts'
import { assertTakesChannels } from './takes-channels.ts'

describeForwarderContract('memory', async () => {
  const log = createMemoryLog()
  return {
    log,
    store: createMemoryGroupStore({ log, atOnce: log }),
    advance: () => undefined,
    close: async () => undefined,
  }
})

test('a topic whose log takes no channels is refused before anything is emitted to it', async () => {
  const topic = testTopic({ partitions: 1 })
  const log = createMemoryLog()
  await expect(assertTakesChannels(log, topic)).resolves.toBeUndefined()
  const guarded = {
    appendChannel: () => {
      throw new MillraceError('topic.guarded')
    },
  }
  await expect(assertTakesChannels(guarded, topic)).rejects.toMatchObject({ code: 'topic.guarded' })
  expect((await log.tips(topic))[0]?.seq).toBe(0)
})
