import { afterAll, beforeAll, expect } from 'vitest'
import { AppendLab } from '../../../test/support/append-lab.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { setFence } from './fence.ts'
import { Script } from './script.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const open = async (source: string) => {
  const lab = await AppendLab.open(server?.url ?? '')
  const script = new Script('fence.lua', source)
  const set = (token: string) => setFence(lab.redis, lab.names.channels, { name: 'feed', token }, script)
  return { context: set, close: async () => lab.close() }
}

describeGuards('fence.lua', scriptSource('fence.lua'), open, {
  'later fence': {
    'an earlier one does not replace a later one': async (set) => {
      await set('2-a')
      expect(await set('1-b')).toEqual({ status: 'refused', token: '2-a' })
    },
    'of two with one counter the first stays': async (set) => {
      await set('2-a')
      expect(await set('2-b')).toEqual({ status: 'refused', token: '2-a' })
    },
  },
})
