import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { newEvent } from '@millrace/event'
import { appendOne, createMemoryLog, type MemoryLog } from '@millrace/log'
import { createMemoryGroupStore, run } from '@millrace/processor'
import { describe, expect, test } from 'vitest'
import { testSeed } from '../support/random.ts'
import { clickVerdict, openEvents } from './click-verdict.ts'
import { clicks, echo, echoes } from './clicks.ts'

const seed = String(testSeed())

test(`members that are killed, paused past their lease, cut off and hung lose, repeat and reorder nothing (seed ${seed})`, async () => {
  const args = [path.join(import.meta.dirname, 'main.ts'), 'processor', '--events', '15000', '--seed', seed]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(stdout).toContain('order, states, echoes, notes and ledgers are right')
}, 600_000)

describe('the verdict', () => {
  test('finds nothing wrong with what was left alone', async () => {
    const { verdict } = await played()
    expect(await verdict()).toMatchObject({ clicks: 60, echoes: 60, notes: 6, notesRepeated: 0, ...good })
  })

  test('finds an echo that nobody should have written', async () => {
    const { log, verdict } = await played()
    const more = { type: 'Echoed', key: 'k1', data: { n: 1, count: 1, trace: 1 } } as const
    await appendOne(log, echoes, { events: [newEvent(echoes, more)] })
    expect((await verdict()).wrongEchoes).toEqual([expect.stringContaining('k1')])
  })

  test('finds clicks that nobody handled', async () => {
    const { log, verdict } = await played()
    await appendOne(log, clicks, {
      events: [newEvent(clicks, { type: 'Clicked', key: 'k2', data: { n: 60 } })],
    })
    const { wrongEchoes, wrongStates, wrongNotes, ledger } = await verdict()
    for (const list of [wrongEchoes, wrongStates, wrongNotes, ledger]) expect(list).toHaveLength(1)
  })

  test('finds a note that is missing, and counts one that is there again', async () => {
    const { verdict, notes } = await played()
    notes.push(notes[0] as string)
    expect(await verdict()).toMatchObject({ notesRepeated: 1, ...good })
    notes.splice(0, 1)
    notes.splice(-1, 1)
    expect((await verdict()).wrongNotes).toHaveLength(1)
  })
})

const good = { wrongEchoes: [], wrongStates: [], ledger: [], wrongNotes: [] }

async function played() {
  const log: MemoryLog = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const notes: string[] = []
  for (let n = 0; n < 60; n++) {
    const event = newEvent(clicks, { type: 'Clicked', key: `k${n % 5}`, data: { n } })
    await appendOne(log, clicks, { events: [event] })
  }
  const running = await run(
    echo(async (key) => notes.push(key)),
    { log, store, retry: { firstMs: 1, maxMs: 1 } },
  )
  while ((await openEvents(store)) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await running.stop()
  return { log, store, notes, verdict: () => clickVerdict(log, store, notes) }
}
