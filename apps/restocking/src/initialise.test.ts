import { MillraceError } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { expect, test } from 'vitest'
import { initialise } from './initialise.ts'

const lines = ['{"watermark":"0/1"}', '{"stock":{"product":"P1","quantity":3}}', '{"end":1}']

test('a run that nobody has asked for ends no other that is under way', async () => {
  const log = createMemoryLog()
  let nowMs = 1_800_000_000_000
  const given = { log, correlationId: 'c-1', clock: { now: () => (nowMs += 5) } }
  const gate = Promise.withResolvers<void>()
  const asked = initialise({
    ...given,
    snapshot: async () =>
      (async function* () {
        await gate.promise
        yield* lines
      })(),
  })
  const all = async () =>
    (async function* () {
      yield* lines
    })()
  expect(await initialise({ ...given, snapshot: all, yields: true })).toBe(1)
  gate.resolve()
  expect(await asked).toBe(1)
  const late = initialise({ ...given, snapshot: all, yields: true })
  await expect(late).rejects.toThrow(MillraceError)
  await expect(late).rejects.toMatchObject({ code: 'append.channel-stale' })
  expect(await initialise({ ...given, snapshot: all })).toBe(1)
})
