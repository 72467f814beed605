import { createMemoryLog } from '@millrace/log'
import { afterEach, expect, test } from 'vitest'
import { held, letter, park } from '../contract/parts.ts'
import { LeasedGroup } from '../contract/group-fixture.ts'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import type { GroupStore } from '../group-store.ts'
import type { ParkedKey } from '../parked-key.ts'
import { auditPartition, type AuditParts, type GroupJobs } from './audit-partition.ts'

const log = createMemoryLog()
const store = createMemoryGroupStore({ log })
const open = (...keys: string[]) =>
  LeasedGroup.open({ log, store, advance: () => undefined, close: async () => undefined }, ...keys)

let group: LeasedGroup
afterEach(async () => expect((await store.audit(group.at)).differences).toEqual([]))

/** A key of three events whose head is really on the log, and another one. */
async function parkedGroup(): Promise<void> {
  group = await open('a', 'b', 'a', 'a', 'c')
  const noted = (made: ReturnType<typeof park>) => ({
    ...made,
    note: { ...made.note, id: group.positions[made.head - 1]?.id ?? '' },
  })
  await group.commit(5, {
    parks: [noted(park('a', 1, 4, 2)), noted(held('b', 2))],
    dead: [letter(5, group.positions[4]?.id, 'c')],
  })
}

/** The store, with what it says of parked keys changed. */
function lying(change: (parked: ParkedKey) => ParkedKey): AuditParts {
  const parked: GroupStore['parked'] = async (...args) => {
    const { items, next } = await store.parked(...args)
    return { items: items.map(change), next }
  }
  const loadStates: GroupStore['loadStates'] = async (...args) =>
    (await store.loadStates(...args)).map((one) =>
      one.parked ? { ...one, parked: change(one.parked) } : one,
    )
  return {
    log,
    store: {
      audit: (at) => store.audit(at),
      deadItems: (at, options) => store.deadItems(at, options),
      deadLetters: (at, options) => store.deadLetters(at, options),
      dueKeys: (at, nowMs, limit) => store.dueKeys(at, nowMs, limit),
      parked,
      loadStates,
    },
  }
}

const ofA = (change: Partial<ParkedKey>) => (parked: ParkedKey) =>
  parked.key === 'a' ? { ...parked, ...change } : parked

test('a group that is well has no differences, and the audit tells how far it is', async () => {
  await parkedGroup()
  const told: number[] = []
  const onProgress = ({ looked }: { looked: number }) => told.push(looked)
  expect(await auditPartition({ log, store }, group.at, { onProgress })).toEqual([])
  expect(told.length).toBeGreaterThan(1)
})

test.each<[string, Partial<ParkedKey>, string]>([
  ['more in line than the log has', { lined: 5 }, 'events in line behind a parked key'],
  ['an end of the line that is not there', { last: 99 }, 'the last event of a line is not on the log'],
  ['an end of the line without events', { lined: 0 }, 'a line has an end and no events'],
  ['a head of another key', { head: 2 }, 'the head of a parked key is not on the log'],
])('a record that says %s is found, with a repair', async (_, change, what) => {
  await parkedGroup()
  expect(await auditPartition(lying(ofA(change)), group.at)).toMatchObject([
    {
      what,
      key: 'a',
      partition: 0,
      repair: expect.stringMatching(/^millrace parked ignore --topic \S+ --group readers --key a /),
    },
  ])
})

test('what is gone when it is looked at again is no difference', async () => {
  await parkedGroup()
  const { store: liar } = lying(ofA({ lined: 5 }))
  const parts: AuditParts = { log, store: { ...liar, loadStates: (...args) => store.loadStates(...args) } }
  expect(await auditPartition(parts, group.at)).toEqual([])
})

test('a dead letter whose event is gone is found', async () => {
  await parkedGroup()
  const gone: AuditParts['log'] = {
    readKey: (...args) => log.readKey(...args),
    readAt: async (topic, position) => (position.seq === 5 ? undefined : log.readAt(topic, position)),
  }
  expect(await auditPartition({ store, log: gone }, group.at)).toMatchObject([
    {
      what: 'the event of dead letter 5 is not on the log',
      repair: expect.stringContaining('millrace dead ignore'),
    },
  ])
})

test('jobs and records have to differ twice, a sweep apart', async () => {
  await parkedGroup()
  const at = (...refs: { key: string; parkNo: number }[]): GroupJobs => ({
    async *jobsOf() {
      yield* refs
    },
  })
  const waits: number[] = []
  const timers = {
    set: (ms: number, act: () => void) => {
      waits.push(ms)
      act()
      return () => undefined
    },
  }
  const audit = (jobs: GroupJobs) => auditPartition({ log, store, jobs }, group.at, { timers, sweepMs: 40 })
  const a = { key: 'a', parkNo: 1 }
  expect(await audit(at(a))).toEqual([])
  expect(await audit(at(a, { key: 'b', parkNo: 1 }))).toEqual([])
  expect(waits).toEqual([])
  expect(await audit(at())).toMatchObject([{ key: 'a', what: expect.stringContaining('no job') }])
  expect(await audit(at(a, { key: 'a', parkNo: 7 }))).toMatchObject([
    { key: 'a', what: expect.stringContaining('no park record') },
  ])
  let asked = 0
  const late: GroupJobs = {
    async *jobsOf() {
      asked += 1
      if (asked > 1) yield a
    },
  }
  expect(await audit(late)).toEqual([])
  expect(asked).toBe(2)
  expect(waits).toEqual([40, 40, 40])
})
